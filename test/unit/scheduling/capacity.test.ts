import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Machine } from '../../../shared/model/machine.ts';
import { type Capacity, type CapacitySources, capacity } from '../../../shared/scheduling/capacity.ts';
import { MachineRoom, Reservation } from '../../../shared/scheduling/rows.ts';
import { documents } from '../../../shared/state/documents.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import type { Tables } from '../../../shared/state/tables.ts';
import { all } from '../../../shared/workloads/stores.ts';
import { plainOutlook } from '../../support/pools.ts';

const machine = (name: string, state: string): Machine =>
  Machine.parse({
    name,
    pool: 'default',
    size: 'Standard_B2s',
    image: 'x',
    resources: { vm: name, nic: name, disk: name },
    vmId: name,
    cpu: 2,
    memory: 4096,
    status:
      state === 'failed'
        ? { state, at: '2026-11-25T12:00:00Z', code: 'quota', reason: 'x' }
        : { state, since: '2026-11-25T12:00:00Z', reason: 'x' },
    owner: 'o',
  });

function world({ maximum = 3, tables = memoryTables() }: { maximum?: number; tables?: Tables } = {}) {
  const machines: Machine[] = [];
  let now = new Date('2026-11-25T12:00:00Z');
  const sources: CapacitySources = {
    tables,
    machines: async () => machines,
    outlook: async () => plainOutlook({ maximum }),
    now: () => now,
    random: Math.random,
    sleep: async () => {},
  };
  const rooms = documents(tables, 'capacity', MachineRoom);
  const reservations = documents(tables, 'capacity', Reservation);
  return {
    machines,
    sources,
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
    rooms: () => all(rooms.list({ partition: 'default', from: 'm!', to: 'm"' })),
    reservations: () => all(reservations.list({ partition: 'default', from: 'r!', to: 'r"' })),
    /** Another process of the app on the same tables. */
    instance: () => capacity(sources),
  };
}
const ask = (from: Capacity, reservation: string, cpu = 0.5, group = 'dev.hello.web') =>
  from.reserve('default', {
    reservation,
    group,
    demand: { cpu, memory: 64, port: true },
    avoid: [],
    owner: `ev-${reservation}`,
  });

describe('capacity', () => {
  test('many who need room at once share one machine on its way, from several processes too', async () => {
    const { instance, rooms } = world();
    const [one, two] = [instance(), instance()];
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => ask(index % 2 === 0 ? one : two, `c${index}`, 0.1)),
    );
    const [room, ...others] = await rooms();
    expect(others).toEqual([]);
    expect(results.map((result) => result.outcome === 'reserved' && result.machine)).toEqual(
      Array.from({ length: 10 }, () => room?.machine),
    );
    const ports = results.map((result) => result.outcome === 'reserved' && result.port);
    expect(new Set(ports).size).toBe(10);
    expect(room?.freeCpu).toBeCloseTo(1);
  });

  test('a repeated request gets what it has', async () => {
    const { instance, reservations } = world();
    const first = await ask(instance(), 'c');
    expect(await ask(instance(), 'c')).toMatchObject({
      outcome: 'reserved',
      machine: first.outcome === 'reserved' && first.machine,
      port: first.outcome === 'reserved' && first.port,
    });
    expect(await reservations()).toHaveLength(1);
  });

  test('a repeated request gets what it has where there is no room for another', async () => {
    const { instance } = world({ maximum: 1 });
    const first = await Promise.all(['a', 'b', 'c', 'd'].map((name) => ask(instance(), name)));
    const other = instance();
    const again = await Promise.all(['a', 'b', 'e'].map((name) => ask(other, name)));
    expect(again.slice(0, 2)).toMatchObject([
      { outcome: 'reserved', port: (first[0] as { port: number }).port },
      { outcome: 'reserved', port: (first[1] as { port: number }).port },
    ]);
    expect(again[2]?.outcome).toBe('no-room');
  });

  test('what is asked for together is decided together, and nothing is looked up that was not reserved before', async () => {
    const plain = memoryTables();
    const asked: string[] = [];
    const { instance, machines } = world({
      tables: {
        ...plain,
        read(table, partition, row) {
          asked.push(row);
          return plain.read(table, partition, row);
        },
        commit(table, partition, writes) {
          asked.push(`commit of ${writes.length}`);
          return plain.commit(table, partition, writes);
        },
      },
    });
    machines.push(machine('default-aaaaaa', 'ready'));
    await ask(instance(), 'first', 0.1);
    asked.length = 0;
    const one = instance();
    await Promise.all(['a', 'b', 'c'].map((name) => ask(one, name, 0.1)));
    expect(asked).toEqual(['commit of 4']);
  });

  test('the maximum of machines is never passed, and the refusal says why', async () => {
    const { instance, rooms } = world({ maximum: 2 });
    const from = instance();
    const results = await Promise.all(Array.from({ length: 6 }, (_, index) => ask(from, `c${index}`, 1)));
    expect(results.filter(({ outcome }) => outcome === 'reserved')).toHaveLength(4);
    expect(await rooms()).toHaveLength(2);
    expect(results.find(({ outcome }) => outcome === 'no-room')).toMatchObject({
      reason:
        'no machine has room for 1 cores and 64 MiB: of 2: 2 too few free cores; the pool has its maximum of 2 machines',
    });
  });

  test('what is larger than every size says so', async () => {
    const { instance } = world();
    expect(await ask(instance(), 'c', 8)).toMatchObject({
      outcome: 'no-room',
      reason: expect.stringContaining('Standard_B2s: it has room for 2 cores and 4096 MiB'),
    });
  });

  test('released room is there again, and releasing twice gives nothing twice', async () => {
    const { instance, rooms } = world();
    const from = instance();
    await ask(from, 'c', 0.3);
    await Promise.all([from.release('default', 'c'), instance().release('default', 'c')]);
    await from.release('default', 'c');
    expect((await rooms())[0]).toMatchObject({ freeCpu: 2, freeMemory: 4096, ports: [], groups: {} });
  });

  test('replicas of a service spread over ready machines; one on its way is the last choice', async () => {
    const { instance, machines } = world();
    machines.push(machine('a', 'ready'), machine('b', 'ready'), machine('c', 'booting'));
    const from = instance();
    const chosen = [await ask(from, '1'), await ask(from, '2'), await ask(from, '3')];
    expect(chosen.map((one) => one.outcome === 'reserved' && one.machine)).toEqual(['a', 'b', 'a']);
  });

  test('a failed machine, and one that was chosen and never recorded, make room for others', async () => {
    const { instance, machines, rooms, reservations, pass } = world({ maximum: 1 });
    await ask(instance(), 'c1');
    pass(121_000);
    await ask(instance(), 'c2');
    const [second] = await rooms();
    expect(await reservations()).toHaveLength(1);
    machines.push(machine(second?.machine ?? '', 'failed'));
    await ask(instance(), 'c3');
    const [third] = await rooms();
    expect(third?.machine).not.toBe(second?.machine);
  });

  test('silent and retiring machines are not used', async () => {
    const { instance, machines } = world({ maximum: 2 });
    machines.push(machine('a', 'silent'), machine('b', 'retiring'));
    expect(await ask(instance(), 'c')).toMatchObject({
      outcome: 'no-room',
      reason: expect.stringContaining('not usable'),
    });
  });

  test('in any order of requests and releases the books balance', async () => {
    const step = fc.record({
      release: fc.boolean(),
      name: fc.integer({ min: 0, max: 7 }),
      cpu: fc.constantFrom(0.1, 0.25, 0.7, 1.5),
      process: fc.integer({ min: 0, max: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 6 }), async (waves) => {
        const { instance, rooms, reservations } = world({ maximum: 2 });
        const processes = [instance(), instance()];
        for (const wave of waves)
          await Promise.all(
            wave.map(({ release, name, cpu, process }) => {
              const from = processes[process] ?? instance();
              return release
                ? from.release('default', `c${name}`)
                : ask(from, `c${name}`, cpu, `g${name % 3}`);
            }),
          );
        const held = await reservations();
        const found = await rooms();
        expect(found.length).toBeLessThanOrEqual(2);
        for (const room of found) {
          const there = held.filter((one) => one.machine === room.machine);
          const cpu = there.reduce((sum, one) => sum + one.cpu, 0);
          expect(room.freeCpu).toBeCloseTo(2 - cpu);
          expect(room.freeCpu).toBeGreaterThanOrEqual(-1e-6);
          expect([...room.ports].sort()).toEqual(there.map(({ port }) => port).sort());
          expect(Object.values(room.groups).reduce((sum, count) => sum + count, 0)).toBe(there.length);
        }
      }),
      { numRuns: 60 },
    );
  });
});
