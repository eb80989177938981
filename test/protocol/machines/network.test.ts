import { HttpRequest, type HttpResponseInit, InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withProblems } from '../../../functions/http/endpoint.ts';
import { joinNetwork } from '../../../functions/http/machine-network.ts';
import { observe } from '../../../functions/http/machine-observations.ts';
import type { Services } from '../../../functions/services.ts';
import { memoryEngine } from '../../../shared/docker/engine.memory.ts';
import { eventStore } from '../../../shared/events/event-store.ts';
import { identityTokens } from '../../../shared/machines/identity-token.ts';
import { virtualMachineId } from '../../../shared/machines/machine-names.ts';
import { machineStore } from '../../../shared/machines/machine-store.ts';
import { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { networks } from '../../../shared/networks/networks.ts';
import { NetworkAnswer } from '../../../shared/networks/protocol.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { stores } from '../../../shared/workloads/stores.ts';
import { startTokenAuthority, type TokenAuthority } from '../../support/token-authority.ts';

const KEY = `${'A'.repeat(42)}A=`;
const SINCE = '2026-11-25T11:59:00.000Z';
const name = MachineName.parse('default-k3x9bc');
const vmId = virtualMachineId('sub', 'group', name);

let authority: TokenAuthority;
let services: Services;

beforeAll(async () => {
  authority = await startTokenAuthority();
});
afterAll(() => authority.close());
beforeEach(() => {
  const tables = memoryTables();
  const machines = machineStore(tables);
  const now = () => new Date('2026-11-25T12:00:00Z');
  services = {
    now,
    tables,
    machines,
    stores: stores(tables),
    machineTokens: identityTokens(authority.url),
    events: eventStore(tables, now),
    networks: networks({
      tables,
      machines,
      replicas: stores(tables).replicas,
      engineOf: async () => memoryEngine(),
      receivers: { tell: async () => {} },
      range: '100.64.0.0/10',
      machineNetwork: '10.20.0.0/16',
      isUsed: async () => true,
      now,
    }),
  } as unknown as Services;
});

const recorded = (change: object = {}) =>
  services.machines.add(
    Machine.parse({
      name,
      pool: 'default',
      size: 's',
      image: 'i',
      resources: { vm: name, nic: 'n', disk: 'd' },
      vmId,
      address: '10.20.0.4',
      cpu: 2,
      memory: 3686,
      status: { state: 'booting', since: SINCE },
      owner: 'x',
      ...change,
    }),
  );
const own = () => authority.issue({ xms_mirid: vmId, xms_az_rid: vmId });
const client = { raiseEvent: async () => {} } as unknown as DurableClient;

async function post(
  what: 'network' | 'observations',
  token: string | undefined,
  body: unknown,
  of: string = name,
) {
  const request = new HttpRequest({
    method: 'POST',
    url: `http://localhost/api/v1/machines/${of}/${what}`,
    params: { name: of },
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: { string: JSON.stringify(body) },
  });
  const handler = withProblems((given) =>
    what === 'network' ? joinNetwork(given, services) : observe(given, services, client),
  );
  const answer = (await handler(request, new InvocationContext())) as HttpResponseInit;
  const text = answer.jsonBody ?? (typeof answer.body === 'string' ? JSON.parse(answer.body) : {});
  return { status: answer.status ?? 200, body: text };
}

describe('joining the containers’ network', () => {
  it('gives the machine its place and what there is to know, and records how it encrypts', async () => {
    await recorded();
    const { status, body } = await post('network', await own(), { means: 'wireguard-go', publicKey: KEY });
    expect(status).toBe(200);
    const { place, documents } = NetworkAnswer.parse(body);
    expect(place).toMatchObject({ subnet: '100.64.32.0/19', machines: '10.20.0.0/16' });
    expect(documents).toMatchObject([{ document: 'peers', peers: [{ machine: name, publicKey: KEY }] }]);
    expect((await services.machines.get(name))?.network).toMatchObject({ means: 'wireguard-go', number: 1 });
  });

  it('gives the same place again, under another key', async () => {
    await recorded();
    await post('network', await own(), { means: 'kernel', publicKey: KEY });
    const other = `${'B'.repeat(42)}A=`;
    const { body } = await post('network', await own(), { means: 'kernel', publicKey: other });
    expect(body).toMatchObject({
      place: { subnet: '100.64.32.0/19' },
      documents: [{ peers: [{ publicKey: other }] }],
    });
  });

  it('records why a machine has no WireGuard', async () => {
    await recorded();
    await post('network', await own(), { means: 'none', reason: 'Operation not supported' });
    expect((await services.machines.get(name))?.network).toMatchObject({
      means: 'none',
      reason: 'Operation not supported',
    });
  });

  it('is not for machines made by hand', async () => {
    const box = await recorded({ pool: 'by-hand', name: 'box' });
    expect((await post('network', await own(), { means: 'kernel', publicKey: KEY }, 'box')).status).toBe(204);
    expect((await services.machines.get(box.name))?.network).toBeUndefined();
  });

  it.each([
    ['without a token', undefined, { means: 'kernel', publicKey: KEY }, 401, 'machine-token-invalid'],
    ['without a key', own, { means: 'kernel' }, 400, 'request-invalid'],
    ['with a key that is none', own, { means: 'kernel', publicKey: 'AAAA' }, 400, 'request-invalid'],
    ['with a key and no WireGuard', own, { means: 'none', publicKey: KEY }, 400, 'request-invalid'],
    ['with more than is known', own, { means: 'none', privateKey: KEY }, 400, 'request-invalid'],
  ])('is refused %s', async (_, token, body, status, code) => {
    await recorded();
    expect(await post('network', await token?.(), body)).toMatchObject({ status, body: { code } });
    expect((await services.machines.get(name))?.network).toBeUndefined();
  });
});

describe('a machine that comes back', () => {
  const observation = { time: SINCE, containers: [], usage: { cpu: 0, memory: 0, disk: 0 } };

  it('asks what it was not told; one that was there does not', async () => {
    await recorded();
    await post('network', await own(), { means: 'kernel', publicKey: KEY });
    expect(await post('observations', await own(), observation)).toEqual({
      status: 200,
      body: { refreshNetwork: true },
    });
    expect((await post('observations', await own(), observation)).status).toBe(204);
  });

  it('that has no part in the network is asked nothing', async () => {
    await recorded();
    expect((await post('observations', await own(), observation)).status).toBe(204);
  });
});
