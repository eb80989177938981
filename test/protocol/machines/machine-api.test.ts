import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { HttpRequest, type HttpResponseInit, InvocationContext } from '@azure/functions';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import type { DurableClient } from 'durable-functions';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withProblems } from '../../../functions/http/endpoint.ts';
import { boot } from '../../../functions/http/machine-boot.ts';
import { observe } from '../../../functions/http/machine-observations.ts';
import { register } from '../../../functions/http/machine-registration.ts';
import type { Services } from '../../../functions/services.ts';
import { type EngineCa, ensureEngineCa } from '../../../shared/certificates/engine-ca.ts';
import { eventStore } from '../../../shared/events/event-store.ts';
import { identityTokens } from '../../../shared/machines/identity-token.ts';
import { virtualMachineId } from '../../../shared/machines/machine-names.ts';
import { machineStore } from '../../../shared/machines/machine-store.ts';
import { Machine, type MachineStatus } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { stores } from '../../../shared/workloads/stores.ts';
import { startTokenAuthority, type TokenAuthority } from '../../support/token-authority.ts';

const name = MachineName.parse('default-k3x9bc');
const vmId = virtualMachineId('sub', 'group', name);
const SINCE = '2026-11-25T11:59:00.000Z';

let authority: TokenAuthority;
let ca: EngineCa;
let services: Services;
let now: Date;
let raised: { id: string; name: string; data: unknown }[];

beforeAll(async () => {
  authority = await startTokenAuthority();
  ca = await ensureEngineCa({ ensure: async (_, make) => await make() });
});
afterAll(() => authority.close());
beforeEach(() => {
  now = new Date('2026-11-25T12:00:00Z');
  raised = [];
  const tables = memoryTables();
  services = {
    now: () => now,
    tables,
    stores: stores(tables),
    machines: machineStore(tables),
    machineTokens: identityTokens(authority.url),
    engineCa: async () => ca,
    events: eventStore(tables, () => now),
  } as unknown as Services;
});

const client = {
  raiseEvent: async (id: string, event: string, data: unknown) => void raised.push({ id, name: event, data }),
} as unknown as DurableClient;

const recorded = async (status: MachineStatus = { state: 'booting', since: SINCE }) =>
  await services.machines.add(
    Machine.parse({
      name,
      pool: 'default',
      size: 'Standard_B2s',
      image: 'Debian:debian-13:13-gen2:latest',
      resources: { vm: name, nic: `${name}-nic`, disk: `${name}-disk` },
      vmId,
      address: '10.20.0.4',
      cpu: 2,
      memory: 3686,
      status,
      owner: `machine-${name}`,
    }),
  );

async function post(
  what: 'registration' | 'observations' | 'boot',
  token: string | undefined,
  body: unknown,
): Promise<{ status: number; body: Record<string, string> }> {
  const request = new HttpRequest({
    method: 'POST',
    url: `http://localhost/api/v1/machines/${name}/${what}`,
    params: { name },
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: { string: JSON.stringify(body) },
  });
  const handlers = {
    registration: (given: HttpRequest) => register(given, services),
    observations: (given: HttpRequest) => observe(given, services, client),
    boot: (given: HttpRequest) => boot(given, services, client),
  };
  const handler = withProblems(handlers[what]);
  const answer = (await handler(request, new InvocationContext())) as HttpResponseInit;
  const text = answer.jsonBody ?? (typeof answer.body === 'string' ? JSON.parse(answer.body) : {});
  return { status: answer.status ?? 200, body: text };
}

async function csr(): Promise<string> {
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys,
    signingAlgorithm,
  });
  return request.toString('pem');
}

const own = () => authority.issue({ xms_mirid: vmId.toUpperCase(), xms_az_rid: vmId });
const observation = { time: SINCE, containers: [], usage: { cpu: 0, memory: 0, disk: 0 } };

describe('registration', () => {
  it('gives the expected machine a certificate for its name and address, and records it', async () => {
    await recorded();
    const { status, body } = await post('registration', await own(), { csr: await csr() });
    expect(status).toBe(200);
    const certificate = new X509Certificate(body['certificate']!);
    expect(certificate.subjectAltName).toBe(`DNS:${name}, IP Address:10.20.0.4`);
    expect(certificate.verify(new X509Certificate(body['ca']!).publicKey)).toBe(true);
    expect((await services.machines.get(name))?.certificate).toEqual({
      serial: certificate.serialNumber.toLowerCase(),
      notAfter: '2027-02-23T12:00:00.000Z',
    });
  });

  it('names every name and address of a machine that is reached from outside, and answers a wish for another', async () => {
    const machine = await recorded({ state: 'ready', since: SINCE });
    const reached = { publicAddress: '203.0.113.7', hostname: 'box.westeurope.cloudapp.azure.com' };
    await services.machines.change(name, () => ({ ...machine, ...reached, renewal: SINCE }));
    const { body } = await post('registration', await own(), { csr: await csr() });
    expect(new X509Certificate(body['certificate']!).subjectAltName).toBe(
      `DNS:${name}, DNS:box.westeurope.cloudapp.azure.com, IP Address:10.20.0.4, IP Address:203.0.113.7`,
    );
    expect((await services.machines.get(name))?.renewal).toBeUndefined();
  });

  it('knows the VM of a user-assigned identity', async () => {
    await recorded();
    const token = await authority.issue({
      xms_mirid:
        '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i',
      xms_az_rid: vmId,
    });
    expect((await post('registration', token, { csr: await csr() })).status).toBe(200);
  });

  it.each([
    ['no token', async () => undefined, 401, 'machine-token-invalid'],
    ['a token that is none', async () => 'x.y.z', 401, 'machine-token-invalid'],
    [
      'a token of another issuer',
      () => authority.issue({ xms_mirid: vmId }, { issuer: 'https://evil.example.org/' }),
      401,
      'machine-token-invalid',
    ],
    [
      'a token for another audience',
      () => authority.issue({ xms_mirid: vmId }, { audience: 'https://storage.azure.com/' }),
      401,
      'machine-token-invalid',
    ],
    ['a token of no VM', () => authority.issue({}), 401, 'machine-token-invalid'],
    ['a token of another VM', () => authority.issue({ xms_mirid: `${vmId}x` }), 403, 'machine-not-expected'],
  ])('is refused with %s', async (_, token, status, code) => {
    await recorded();
    const answer = await post('registration', await token(), { csr: await csr() });
    expect(answer).toMatchObject({ status, body: { code } });
    expect((await services.machines.get(name))?.certificate).toBeUndefined();
  });

  it('is refused to a machine without record, and to one that is going', async () => {
    const unknown = await post('registration', await own(), { csr: await csr() });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'machine-not-found' } });
    await recorded({ state: 'retiring', since: SINCE, reason: 'x' });
    const going = await post('registration', await own(), { csr: await csr() });
    expect(going).toMatchObject({ status: 403, body: { code: 'machine-not-expected' } });
  });

  it('says what is wrong with a request', async () => {
    await recorded();
    expect(await post('registration', await own(), {})).toMatchObject({
      status: 400,
      body: { code: 'request-invalid' },
    });
  });
});

describe('observations', () => {
  it('make a booting machine ready, and tell the orchestration that waits', async () => {
    await recorded();
    expect((await post('observations', await own(), observation)).status).toBe(204);
    const machine = await services.machines.get(name);
    expect(machine).toMatchObject({
      heardAt: now.toISOString(),
      status: { state: 'ready', since: now.toISOString() },
    });
    expect(raised).toEqual([{ id: `machine-${name}`, name: 'ready', data: machine }]);
  });

  it('only say that a ready machine lives', async () => {
    await recorded({ state: 'ready', since: '2026-11-25T10:00:00.000Z' });
    await post('observations', await own(), observation);
    expect((await services.machines.get(name))?.heardAt).toBe(now.toISOString());
    expect(raised).toEqual([]);
  });

  it('make a machine ready that was started again, and none that goes down', async () => {
    await recorded({ state: 'starting', since: SINCE });
    await post('observations', await own(), observation);
    expect((await services.machines.get(name))?.status.state).toBe('ready');
    expect(raised).toHaveLength(1);
    await services.machines.change(name, (machine) => ({
      ...machine,
      status: { state: 'stopping', since: SINCE },
    }));
    expect((await post('observations', await own(), observation)).status).toBe(403);
    expect((await services.machines.get(name))?.status.state).toBe('stopping');
  });

  it.each([
    ['was asked for', { renewal: SINCE }],
    ['ends soon', { certificate: { serial: 'a', notAfter: '2026-12-20T00:00:00.000Z' } }],
    ['has lapsed', { certificate: { serial: 'a', notAfter: '2026-11-01T00:00:00.000Z' } }],
  ])('are answered with the wish for another certificate where one %s', async (_, change) => {
    const machine = await recorded({ state: 'ready', since: SINCE });
    await services.machines.change(name, () => ({ ...machine, ...change }));
    const wish = { status: 200, body: { renewCertificate: true } };
    expect(await post('observations', await own(), observation)).toEqual(wish);
    await post('registration', await own(), { csr: await csr() });
    expect((await post('observations', await own(), observation)).status).toBe(204);
  });

  it('store a replica’s death once, however often it is reported', async () => {
    await recorded();
    const died = [
      {
        id: 'c1',
        name: 'dev.hello.web.r1.0.g1',
        labels: { 'berth.service': 'dev.hello.web' },
        exitCode: 1,
        time: '2026-11-25T11:59:59.123456789Z',
      },
    ];
    for (let time = 0; time < 2; time += 1)
      expect((await post('observations', await own(), { ...observation, died })).status).toBe(204);
    const stored = [];
    for await (const row of services.tables.list('events', {})) stored.push(row.partition);
    expect(new Set(stored).size).toBe(1);
    expect(stored.filter((partition) => partition.includes(name)).length).toBeGreaterThan(0);
  });

  it('of another machine are refused', async () => {
    await recorded();
    const answer = await post('observations', await authority.issue({ xms_mirid: `${vmId}x` }), observation);
    expect(answer.status).toBe(403);
    expect((await services.machines.get(name))?.status.state).toBe('booting');
  });
});

describe('the report of cloud-init', () => {
  const failed = { status: 'error', errors: ["('package_update_upgrade_install', ...)"], engine: false };

  it('is recorded; who waits for a machine that will not come is told at once', async () => {
    await recorded();
    expect((await post('boot', await own(), failed)).status).toBe(204);
    const machine = await services.machines.get(name);
    expect(machine?.boot).toEqual({ ...failed, at: now.toISOString() });
    expect(raised).toEqual([{ id: `machine-${name}`, name: 'ready', data: machine }]);
  });

  it('with errors that leave the engine as it is, or of a machine that is ready, is only shown', async () => {
    await recorded();
    await post('boot', await own(), { ...failed, engine: true });
    await services.machines.change(name, (one) => ({ ...one, status: { state: 'ready', since: SINCE } }));
    await post('boot', await own(), failed);
    expect(raised).toEqual([]);
    expect((await services.machines.get(name))?.boot?.errors).toHaveLength(1);
  });

  it('is taken from the machine itself only, and of the expected shape', async () => {
    await recorded();
    const other = await authority.issue({ xms_mirid: virtualMachineId('sub', 'group', 'other') });
    expect((await post('boot', other, failed)).status).toBe(403);
    expect((await post('boot', await own(), { status: 'done' })).status).toBe(400);
    expect((await services.machines.get(name))?.boot).toBeUndefined();
  });
});
