import { beforeEach, describe, expect, it } from 'vitest';
import { memoryEngine } from '../../../shared/docker/engine.memory.ts';
import { machineStore } from '../../../shared/machines/machine-store.ts';
import { Retryable } from '../../../shared/model/errors.ts';
import { Machine } from '../../../shared/model/machine.ts';
import { EnvironmentName, MachineName } from '../../../shared/model/names.ts';
import { Replica, ServiceKey } from '../../../shared/model/service.ts';
import { announcing } from '../../../shared/networks/announcing.ts';
import { type Networks, networks } from '../../../shared/networks/networks.ts';
import type { NetworkDocument } from '../../../shared/networks/protocol.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { placeOf, type Stores, stores } from '../../../shared/workloads/stores.ts';

const KEY = `${'A'.repeat(42)}A=`;
const dev = EnvironmentName.parse('dev');
const api = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'api' });

let all: Stores;
let made: Networks;
let told: { machine: string; document: NetworkDocument }[];
let deaf: Set<string>;
let used: Set<string>;
let asked: string[];
let now: Date;
const engine = memoryEngine();

beforeEach(() => {
  const tables = memoryTables();
  told = [];
  deaf = new Set();
  used = new Set(['dev']);
  asked = [];
  now = new Date('2026-01-01T00:00:00Z');
  const plain = stores(tables);
  made = networks({
    tables,
    replicas: plain.replicas,
    machines: machineStore(tables),
    engineOf: async () => engine,
    receivers: {
      async tell({ name }, document) {
        asked.push(name);
        if (deaf.has(name)) throw new Retryable({ code: 'x', message: 'deaf', remedy: '' });
        told.push({ machine: name, document });
      },
    },
    range: '100.64.0.0/10',
    machineNetwork: '10.20.0.0/16',
    isUsed: async (environment) => used.has(environment),
    now: () => now,
  });
  all = announcing(plain, made);
});

async function machine(
  name: string,
  address: string,
  state: 'ready' | 'booting' = 'ready',
): Promise<Machine> {
  const record = Machine.parse({
    name,
    pool: 'default',
    size: 's',
    image: 'i',
    resources: { vm: name, nic: name, disk: name },
    vmId: name,
    address,
    cpu: 2,
    memory: 1024,
    status: { state, since: '2026-01-01T00:00:00.000Z' },
    owner: 'x',
  });
  return await machineStore(all.tables).add(record);
}

const joined = async (name: string, address: string) => {
  const answer = await made.join(await machine(name, address), { means: 'kernel', publicKey: KEY });
  const record = await machineStore(all.tables).get(MachineName.parse(name));
  return { answer, machine: { ...record!, address } };
};

const replica = async (slot: number, state: 'running' | 'healthy' | 'unhealthy', address?: string) => {
  const value = Replica.parse({
    key: api,
    revision: 1,
    slot,
    generation: 1,
    machine: 'default-a',
    address: '10.20.0.4',
    ...(address !== undefined && { containerAddress: address }),
    status: { state, since: '2026-01-01T00:00:00.000Z', ...(state === 'unhealthy' && { reason: 'x' }) },
  });
  await all.replicas.upsert(...placeOf.replica(value), value);
};

const lastNames = (name: string) =>
  told.findLast(({ machine: one, document }) => one === name && document.document === 'names')?.document;

describe('machines', () => {
  it('get a place each, and everybody who is ready hears of them', async () => {
    const a = await joined('default-a', '10.20.0.4');
    const b = await joined('default-b', '10.20.0.5');
    expect(a.answer?.place).toMatchObject({ subnet: '100.64.32.0/19', resolver: '100.64.32.1' });
    expect(b.answer?.place.subnet).toBe('100.64.64.0/19');
    expect(a.machine.network).toMatchObject({ number: 1, means: 'kernel', publicKey: KEY });
    const heard = told.findLast(({ machine: name }) => name === 'default-a')?.document;
    expect(heard).toMatchObject({
      document: 'peers',
      peers: [
        { machine: 'default-a', endpoint: '10.20.0.4:51820', subnet: '100.64.32.0/19' },
        { machine: 'default-b', endpoint: '10.20.0.5:51820', subnet: '100.64.64.0/19' },
      ],
    });
    expect(b.answer?.documents).toContainEqual(heard);
  });

  it('without WireGuard are nobody’s peers', async () => {
    await made.join(await machine('default-a', '10.20.0.4'), { means: 'none', reason: 'no module' });
    const b = await joined('default-b', '10.20.0.5');
    const peers = b.answer?.documents.find(({ document }) => document === 'peers');
    expect(peers).toMatchObject({ peers: [{ machine: 'default-b' }] });
  });

  it('keep their numbers where storage forgot who has which', async () => {
    await joined('default-a', '10.20.0.4');
    await all.tables.commit('networks', 'numbers', [{ kind: 'delete', row: 'machines' }]);
    expect((await joined('default-b', '10.20.0.5')).answer?.place.subnet).toBe('100.64.64.0/19');
  });

  it('that are gone are peers no longer, and their number is given again', async () => {
    await joined('default-a', '10.20.0.4');
    await joined('default-b', '10.20.0.5');
    await machineStore(all.tables).remove(MachineName.parse('default-a'));
    await made.sweep();
    expect(told.at(-1)?.document).toMatchObject({ peers: [{ machine: 'default-b' }] });
    const c = await joined('default-c', '10.20.0.6');
    expect(c.answer?.place.subnet).toBe('100.64.32.0/19');
  });
});

describe('an environment', () => {
  it('without applications gives back its network and its number, unless a container is in it', async () => {
    const a = await joined('default-a', '10.20.0.4');
    await made.open(dev, a.machine);
    await engine.pull('x', '');
    const network = { name: 'berth-dev', resolver: a.machine.network?.resolver ?? '', search: [] };
    const base = { command: undefined, environment: {}, labels: {}, cpu: 1, memory: 6, publish: undefined };
    const { id } = await engine.create({ ...base, name: 'c', image: 'x', stopGrace: 0, network });
    await engine.start(id);
    expect((await engine.inspect(id))?.addresses).toEqual({ 'berth-dev': '100.64.32.130' });
    used.clear();
    await made.sweep();
    const prod = EnvironmentName.parse('prod');
    await made.open(prod, a.machine);
    expect(lastNames('default-a')).toMatchObject({ environment: 'prod', number: 2 });
    await engine.remove(id);
    await made.sweep();
    await made.open(EnvironmentName.parse('test'), a.machine);
    expect(lastNames('default-a')).toMatchObject({ environment: 'test', number: 1 });
  });
});

describe('names', () => {
  it('lead to the healthy replicas, on every machine of the environment and on no other', async () => {
    const a = await joined('default-a', '10.20.0.4');
    await joined('default-b', '10.20.0.5');
    await made.open(dev, a.machine);
    await replica(0, 'running', '100.64.32.130');
    expect(lastNames('default-a')).toMatchObject({ services: {} });
    await replica(0, 'healthy', '100.64.32.130');
    await replica(1, 'healthy', '100.64.32.131');
    expect(lastNames('default-a')).toMatchObject({
      environment: 'dev',
      number: 1,
      services: { 'shop.api': ['100.64.32.130', '100.64.32.131'] },
    });
    expect(lastNames('default-b')).toBeUndefined();
    await replica(0, 'unhealthy', '100.64.32.130');
    expect(lastNames('default-a')).toMatchObject({ services: { 'shop.api': ['100.64.32.131'] } });
    await all.replicas.delete(...placeOf.replica({ key: api, slot: 1, generation: 1 }));
    expect(lastNames('default-a')).toMatchObject({ services: { 'shop.api': [] } });
  });

  it('are told again by the sweep where a machine did not take them, and only there', async () => {
    const a = await joined('default-a', '10.20.0.4');
    const b = await joined('default-b', '10.20.0.5');
    await made.open(dev, a.machine);
    await made.open(dev, b.machine);
    deaf.add('default-b');
    await replica(0, 'healthy', '100.64.32.130');
    expect(lastNames('default-b')).toMatchObject({ services: {} });
    deaf.clear();
    told.length = 0;
    now = new Date('2026-01-01T00:01:00Z');
    await made.sweep();
    expect(told.map(({ machine: name }) => name)).toEqual(['default-b']);
    expect(lastNames('default-b')).toMatchObject({ services: { 'shop.api': ['100.64.32.130'] } });
    told.length = 0;
    await made.sweep();
    expect(told).toEqual([]);
  });

  it('wait for a machine that does not answer once, not with every change', async () => {
    const a = await joined('default-a', '10.20.0.4');
    await made.open(dev, a.machine);
    deaf.add('default-a');
    asked.length = 0;
    for (const slot of [0, 1, 2]) await replica(slot, 'healthy', `100.64.32.13${slot}`);
    expect(asked).toEqual(['default-a']);
    deaf.clear();
    await made.join(a.machine, { means: 'kernel', publicKey: KEY });
    await replica(3, 'healthy', '100.64.32.133');
    expect(lastNames('default-a')).toMatchObject({ services: { 'shop.api': { length: 4 } } });
  });

  it('that were written past the stores are found by the sweep', async () => {
    const a = await joined('default-a', '10.20.0.4');
    await made.open(dev, a.machine);
    const plain = stores(all.tables);
    const value = Replica.parse({
      key: api,
      revision: 1,
      slot: 0,
      generation: 1,
      machine: 'default-a',
      address: '10.20.0.4',
      containerAddress: '100.64.32.130',
      status: { state: 'healthy', since: '2026-01-01T00:00:00.000Z' },
    });
    await plain.replicas.upsert(...placeOf.replica(value), value);
    await made.sweep();
    expect(lastNames('default-a')).toMatchObject({ services: { 'shop.api': ['100.64.32.130'] } });
  });

  it('that change at once are told in the order of their versions, the last with all', async () => {
    const a = await joined('default-a', '10.20.0.4');
    await made.open(dev, a.machine);
    await Promise.all(
      Array.from({ length: 20 }, (_, slot) => replica(slot, 'healthy', `100.64.32.${140 + slot}`)),
    );
    const versions = told.flatMap(({ document }) =>
      document.document === 'names' ? [document.version] : [],
    );
    expect(versions).toEqual([...versions].sort((x, y) => x - y));
    expect(versions.length).toBeLessThan(10);
    const last = lastNames('default-a');
    expect(last?.document === 'names' && last.services['shop.api']?.length).toBe(20);
  });
});
