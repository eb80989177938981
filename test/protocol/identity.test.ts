import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DataCentre } from '../../infra/local/data-centre.ts';
import type { InstanceMetadata } from '../../infra/local/identity/metadata-directory.ts';
import { type Identity, startIdentity } from '../../infra/local/identity/start-identity.ts';
import { ensurePlatformCa } from '../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../infra/local/platform-ca/server-certificate.ts';
import { entraTokens } from '../../shared/auth/entra/entra-tokens.ts';
import { freePorts, testDataCentre } from '../support/local-settings.ts';

const machine: InstanceMetadata = {
  resourceId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m1',
  vmId: '0f0e0d0c-0000-4000-8000-000000000001',
  name: 'm1',
  location: 'westeurope',
  vmSize: 'Standard_D2s_v5',
  resourceGroup: 'g',
  subscription: '11111111-1111-4111-8111-111111111111',
  tags: { pool: 'general', keep: 'yes' },
  userData: 'aGVsbG8=',
  privateAddress: '10.20.0.4',
  publicAddress: undefined,
  principalId: '55555555-5555-4555-8555-555555555555',
};
let known: InstanceMetadata | undefined = machine;
let directory = '';
let ca = '';
let identity: Identity;
let dataCentre: DataCentre;
const { tenant, identity: own } = testDataCentre('/none', {});
const { clientId, header } = own;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'identity-'));
  const platform = await ensurePlatformCa(directory);
  ca = platform.certificatePem;
  const { certificate, key } = await issueServerCertificate(platform, ['127.0.0.1', 'localhost'], directory);
  const [authority, app, metadata] = (await freePorts(3)) as [number, number, number];
  dataCentre = testDataCentre(directory, { authority, identity: app, metadata });
  identity = await startIdentity(dataCentre, {
    directory: { byAddress: async (address) => (address === '127.0.0.1' ? known : undefined) },
    keysDirectory: directory,
    certificate,
    key,
  });
});
afterAll(async () => {
  await identity?.close();
  await rm(directory, { recursive: true, force: true });
});

const askApp = async (query: string, headers: Record<string, string> = { 'x-identity-header': header }) => {
  const url = `http://127.0.0.1:${dataCentre.ports.identity}/msi/token?${query}`;
  const response = await fetch(url, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
};
const askMetadata = async (path: string, init: RequestInit = {}) => {
  const url = `http://127.0.0.1:${dataCentre.ports.metadata}/metadata/${path}`;
  const response = await fetch(url, { headers: { metadata: 'true' }, ...init });
  const text = await response.text();
  return {
    status: response.status,
    text,
    json: () => JSON.parse(text) as Record<string, never>,
  };
};
const askAuthority = (path: string) =>
  new Promise<{ status: number; body: Record<string, never> }>((resolve, reject) => {
    get({ host: '127.0.0.1', port: dataCentre.ports.authority, path, ca, agent: false }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
    }).on('error', reject);
  });

describe("the app's endpoint", () => {
  test('gives a token for the resource, which the verifier accepts for that audience alone', async () => {
    const { status, body } = await askApp(
      `api-version=2019-08-01&resource=https%3A%2F%2Fservicebus.azure.net%2F&client_id=${clientId}`,
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token_type: 'Bearer',
      resource: 'https://servicebus.azure.net/',
      client_id: clientId,
    });
    const claims = await identity.verifier(body.access_token!, 'https://servicebus.azure.net');
    expect(claims).toMatchObject({ appid: clientId, tid: tenant, aud: 'https://servicebus.azure.net/' });
    expect(String(claims.exp)).toBe(body.expires_on);
    await expect(identity.verifier(body.access_token!, 'https://management.azure.com')).rejects.toThrow(
      /audience/,
    );
  });

  test.each([
    { wrong: 'no secret', query: 'api-version=2019-08-01&resource=https://x', headers: {}, status: 401 },
    {
      wrong: 'another secret',
      query: `api-version=2019-08-01&resource=https://x&client_id=${clientId}`,
      headers: { 'x-identity-header': 'guess' },
      status: 401,
    },
    { wrong: 'no api-version', query: `resource=https://x&client_id=${clientId}`, status: 400 },
    { wrong: 'no resource', query: `api-version=2019-08-01&client_id=${clientId}`, status: 400 },
    { wrong: 'no URI', query: `api-version=2019-08-01&resource=x&client_id=${clientId}`, status: 400 },
    {
      wrong: 'another identity',
      query: `api-version=2019-08-01&resource=https://x&client_id=${tenant}`,
      status: 400,
    },
    { wrong: 'no identity named', query: 'api-version=2019-08-01&resource=https://x', status: 400 },
  ])('refuses a request with $wrong', async ({ query, headers, status }) => {
    const answer = await askApp(query, headers);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({
      StatusCode: status,
      Message: expect.any(String),
      CorrelationId: expect.any(String),
    });
  });
});

describe('tokens', () => {
  test('are verified with the keys that the authority publishes', async () => {
    const configuration = await askAuthority(`/${tenant}/.well-known/openid-configuration`);
    expect(configuration.body).toMatchObject({ issuer: `https://sts.windows.net/${tenant}/` });
    const jwksUri = new URL(configuration.body.jwks_uri!);
    const keys = createRemoteJWKSet(jwksUri, {
      [customFetch]: async () => Response.json((await askAuthority(jwksUri.pathname)).body),
    });
    const { body } = await askApp(
      `api-version=2019-08-01&resource=https://storage.azure.com&client_id=${clientId}`,
    );
    const { payload } = await jwtVerify(body.access_token!, keys, {
      issuer: `https://sts.windows.net/${tenant}/`,
      audience: 'https://storage.azure.com',
    });
    expect(payload.exp! - Date.now() / 1000).toBeGreaterThan(3600);
  });

  test('of another key, another issuer or another time are refused', async () => {
    const { body } = await askApp(`api-version=2019-08-01&resource=https://x&client_id=${clientId}`);
    const [head, claims, signature] = body.access_token!.split('.') as [string, string, string];
    const other = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    await expect(identity.verifier(`${head}.${claims}.${other}`, 'https://x')).rejects.toThrow(/signature/);
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    await expect(identity.verifier(`${unsigned}.${claims}.`, 'https://x')).rejects.toThrow();
    const symmetric = await new SignJWT(decodeJwt(body.access_token!))
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(header));
    await expect(identity.verifier(symmetric, 'https://x')).rejects.toThrow(/alg/);
  });

  test('are credentials of the registry, where its audience is asked for', async () => {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, ca]);
    try {
      const authority = `https://127.0.0.1:${dataCentre.ports.authority}/${tenant}`;
      const { callerOf } = entraTokens(authority, ['api://berth']);
      const tokenFor = async (resource: string) =>
        (await askApp(`api-version=2019-08-01&resource=${resource}&client_id=${clientId}`)).body
          .access_token!;
      expect(await callerOf(await tokenFor('api://berth'))).toMatchObject({ objectId: own.principalId });
      expect(await callerOf(await tokenFor('https://management.azure.com/'))).toBeUndefined();
      const machines = await askMetadata(
        'identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2Fberth',
      );
      expect(await callerOf(machines.json().access_token!)).toMatchObject({ objectId: machine.principalId });
    } finally {
      setDefaultCACertificates(before);
    }
  });

  test('outlive a restart', async () => {
    const { body } = await askApp(`api-version=2019-08-01&resource=https://x&client_id=${clientId}`);
    const [authority, app, metadata] = (await freePorts(3)) as [number, number, number];
    const again = await startIdentity(
      { ...dataCentre, ports: { ...dataCentre.ports, authority, identity: app, metadata } },
      { directory: { byAddress: async () => undefined }, keysDirectory: directory, ...(await serverPems()) },
    );
    try {
      expect((await again.verifier(body.access_token!, 'https://x')).appid).toBe(clientId);
    } finally {
      await again.close();
    }
  });
});

const serverPems = async () => {
  const { certificate, key } = await issueServerCertificate(
    await ensurePlatformCa(directory),
    ['127.0.0.1', 'localhost'],
    directory,
  );
  return { certificate, key };
};

test('the authority knows one tenant', async () => {
  const { status, body } = await askAuthority('/common/.well-known/openid-configuration');
  expect(status).toBe(400);
  expect(body).toMatchObject({ error: 'invalid_tenant' });
});

describe('the metadata service', () => {
  test('gives the machine a token that names it', async () => {
    const { status, json } = await askMetadata(
      'identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F',
    );
    expect(status).toBe(200);
    const claims = await identity.verifier(json().access_token!, 'https://management.azure.com');
    expect(claims).toMatchObject({
      oid: machine.principalId,
      xms_mirid: machine.resourceId,
      xms_az_rid: machine.resourceId,
    });
  });

  test('describes the machine as JSON and as text', async () => {
    const { json } = await askMetadata('instance?api-version=2021-02-01');
    expect(json()).toMatchObject({
      compute: {
        name: 'm1',
        resourceId: machine.resourceId,
        tags: 'pool:general;keep:yes',
        userData: 'aGVsbG8=',
      },
      network: { interface: [{ ipv4: { ipAddress: [{ privateIpAddress: '10.20.0.4' }] } }] },
    });
    const text = async (path: string) =>
      (await askMetadata(`instance/${path}api-version=2021-02-01&format=text`)).text;
    expect(await text('compute/vmSize?')).toBe('Standard_D2s_v5');
    expect(await text('network/interface/0/ipv4/ipAddress/0/privateIpAddress?')).toBe('10.20.0.4');
    expect(await text('?')).toBe('compute/\nnetwork/');
  });

  test.each([
    {
      wrong: 'no Metadata header',
      path: 'instance?api-version=2021-02-01',
      headers: {},
      status: 400,
    },
    {
      wrong: 'a proxy before it',
      path: 'instance?api-version=2021-02-01',
      headers: { metadata: 'true', 'x-forwarded-for': '10.0.0.1' },
      status: 400,
    },
    { wrong: 'no api-version', path: 'instance', status: 400 },
    { wrong: 'an unknown api-version', path: 'instance?api-version=2001-01-01', status: 400 },
    { wrong: 'an unknown path', path: 'instance/nothing?api-version=2021-02-01', status: 404 },
    { wrong: 'a value asked as JSON', path: 'instance/compute/name?api-version=2021-02-01', status: 400 },
    { wrong: 'an unknown service', path: 'attested?api-version=2021-02-01', status: 404 },
    { wrong: 'no resource', path: 'identity/oauth2/token?api-version=2018-02-01', status: 400 },
    {
      wrong: 'another identity',
      path: `identity/oauth2/token?api-version=2018-02-01&resource=https://x&client_id=${clientId}`,
      status: 400,
    },
  ])('refuses a request with $wrong', async ({ path, headers, status }) => {
    const answer = await askMetadata(path, headers === undefined ? {} : { headers });
    expect(answer.status).toBe(status);
    expect(answer.json().error).toEqual(expect.any(String));
  });

  test('gives nothing to an address that is no machine, and no token to a machine without an identity', async () => {
    const path = 'identity/oauth2/token?api-version=2018-02-01&resource=https://x';
    try {
      known = undefined;
      expect((await askMetadata(path)).status).toBe(401);
      known = { ...machine, principalId: undefined };
      const answer = await askMetadata(path);
      expect(answer.status).toBe(400);
      expect(answer.json()).toMatchObject({ error_description: 'Identity not found' });
    } finally {
      known = machine;
    }
  });

  test('announces events, which the machine approves', async () => {
    const path = 'scheduledevents?api-version=2020-07-01';
    expect((await askMetadata(path)).json()).toEqual({ DocumentIncarnation: 1, Events: [] });
    const started = identity.events.announce(
      machine.resourceId,
      'Preempt',
      new Date(Date.now() + 3600_000),
      'Capacity is needed elsewhere.',
    );
    const { Events } = (await askMetadata(path)).json() as unknown as {
      Events: { EventId: string; EventStatus: string; Resources: string[] }[];
    };
    expect(Events).toMatchObject([{ EventType: 'Preempt', EventStatus: 'Scheduled', Resources: ['m1'] }]);
    const approve = (EventId: string) =>
      askMetadata(path, {
        method: 'POST',
        headers: { metadata: 'true' },
        body: JSON.stringify({ StartRequests: [{ EventId }] }),
      });
    expect((await approve('unknown')).status).toBe(400);
    expect((await approve(Events[0]!.EventId)).status).toBe(200);
    expect(await started).toBe(Events[0]!.EventId);
    expect((await askMetadata(path)).json()).toMatchObject({ Events: [{ EventStatus: 'Started' }] });
    identity.events.end(machine.resourceId, Events[0]!.EventId);
    expect((await askMetadata(path)).json()).toMatchObject({ Events: [] });
  });
});

test('a port that is taken is told, and nothing stays behind', async () => {
  const pems = await serverPems();
  const blocker = createTcpServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const taken = (blocker.address() as AddressInfo).port;
  const [app] = (await freePorts(1)) as [number];
  const ports = { ...dataCentre.ports, authority: taken, identity: app };
  const start = () =>
    startIdentity(
      { ...dataCentre, ports },
      { directory: { byAddress: async () => undefined }, keysDirectory: directory, ...pems },
    );
  await expect(start()).rejects.toThrow(/EADDRINUSE/);
  await new Promise((resolve) => blocker.close(resolve));
  await expect(fetch(`http://127.0.0.1:${app}/msi/token`)).rejects.toThrow();
});
