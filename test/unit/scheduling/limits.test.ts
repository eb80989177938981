import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Offering } from '../../../shared/machines/offerings/offering.ts';
import type { Ranked } from '../../../shared/machines/offerings/rank-offerings.ts';
import { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { capacity } from '../../../shared/scheduling/capacity.ts';
import { Limits, MachineRoom } from '../../../shared/scheduling/rows.ts';
import { documents } from '../../../shared/state/documents.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { all } from '../../../shared/workloads/stores.ts';
import { Interleaving, interleavedTables } from '../../support/interleaving.ts';
import { plainOutlook } from '../../support/pools.ts';
import '../../support/sample.ts';

const offering = (size: string, hourly: number | undefined, cores = 2): Offering => ({
  size,
  priority: 'regular',
  family: 'f',
  cores,
  cpu: cores,
  memory: 4096,
  ...(hourly !== undefined && { hourly }),
});
const small = offering('Standard_Small', 0.1);
const large = offering('Standard_Large', 0.25, 4);
const ranked = (...offerings: Offering[]): Ranked => ({ offerings, passed: [] });

const record = (name: string, hourly: number | undefined): Machine =>
  Machine.parse({
    name,
    pool: 'default',
    size: 'Standard_Small',
    image: 'x',
    resources: { vm: name, nic: name, disk: name },
    vmId: name,
    cpu: 2,
    memory: 4096,
    hourly,
    status: { state: 'provisioning', since: '2026-11-25T12:00:00Z' },
    owner: name,
  });

interface Options {
  readonly maximum?: number;
  readonly hourlyLimit?: number;
  readonly offered?: readonly Offering[];
  readonly random?: () => number;
}

function world({ maximum = 3, hourlyLimit, offered = [small], random = Math.random }: Options) {
  const plain = memoryTables();
  const machines = new Map<string, Machine>();
  const interleaving = new Interleaving(random, () => {});
  const limits = { maximum, hourlyLimit };
  const instance = () =>
    capacity({
      tables: interleavedTables(plain, interleaving.turn),
      machines: async () => [...machines.values()],
      outlook: async () => ({ ...plainOutlook(), ...limits, ranked: ranked(...offered) }),
      now: () => new Date('2026-11-25T12:00:00Z'),
      random,
      sleep: async () => {},
    });
  const rooms = () =>
    all(documents(plain, 'capacity', MachineRoom).list({ partition: 'default', from: 'm!', to: 'm"' }));
  const total = async () => (await documents(plain, 'capacity', Limits).get('default', 'limits'))?.value;
  return { machines, limits, interleaving, instance, rooms, total };
}

const name = (letters: string) => MachineName.parse(`default-${letters}`);
const claim = (letters: string, ...offerings: Offering[]) => ({
  machine: name(letters),
  owner: letters,
  needs: { cpu: 0, memory: 0 },
  ranked: ranked(...offerings),
});

describe('the limits of a pool', () => {
  test('count machines that nothing waits for, and adding one twice adds one', async () => {
    const { instance, rooms } = world({ maximum: 2 });
    const books = instance();
    const add = (letters: string) => books.add('default', { machine: name(letters), owner: letters });
    expect((await add('a')).outcome).toBe('added');
    expect((await add('a')).outcome).toBe('added');
    expect((await add('b')).outcome).toBe('added');
    expect(await add('c')).toEqual({ outcome: 'no-room', reason: 'the pool has its maximum of 2 machines' });
    expect(await rooms()).toHaveLength(2);
  });

  test('are kept also by who never asked for room: an image of an older version, a replacement', async () => {
    const { instance, machines } = world({ maximum: 1 });
    const books = instance();
    expect(await books.claim('default', claim('a', small))).toMatchObject({ outcome: 'claimed' });
    machines.set('default-a', record('default-a', 0.1));
    expect(await books.claim('default', claim('b', small))).toMatchObject({ outcome: 'no-room' });
    // The same machine again, at a further attempt, takes its own place.
    expect(await books.claim('default', claim('a', large))).toMatchObject({
      offering: { size: 'Standard_Large' },
    });
  });

  test('in US dollars pass over what is too dear, and what has no price', async () => {
    const { instance, total } = world({ maximum: 9, hourlyLimit: 0.4, offered: [large, small] });
    const books = instance();
    expect(await books.claim('default', claim('a', large, small))).toMatchObject({ offering: large });
    expect(await books.claim('default', claim('b', large, small))).toMatchObject({ offering: small });
    expect(await books.claim('default', claim('c', large, offering('Standard_New', undefined)))).toEqual({
      outcome: 'no-room',
      reason:
        'Standard_Large: it costs $0.25/h, and the hourlyLimit of the pool leaves $0.0500/h; Standard_New: its price is not known here, so that the hourlyLimit of the pool cannot be kept',
    });
    expect(await total()).toEqual({ machines: 2, hourly: 0.35 });
    await books.removeMachine('default', 'default-a');
    expect(await total()).toEqual({ machines: 1, hourly: 0.1 });
  });

  test('are given back by many machines that go at once, in few transactions', async () => {
    const { instance, rooms, total, interleaving } = world({ maximum: 300, hourlyLimit: 100 });
    const books = instance();
    const letters = Array.from({ length: 250 }, (_, index) => `m${index}`);
    for (const one of letters)
      expect(await books.claim('default', claim(one, small))).toMatchObject({ outcome: 'claimed' });
    expect(await total()).toEqual({ machines: 250, hourly: 25 });
    const others = instance();
    await interleaving.all(
      [...letters, 'm1', 'unknown']
        .filter((one) => one !== 'm0')
        .map((one, index) => ({
          work: () => (index % 2 === 0 ? books : others).removeMachine('default', name(one)),
        }))
        [Symbol.iterator](),
      300,
    );
    expect((await rooms()).map(({ machine }) => machine)).toEqual(['default-m0']);
    expect(await total()).toEqual({ machines: 1, hourly: 0.1 });
  });

  test('that were lowered meanwhile hold for machines that Azure was not asked for yet', async () => {
    const { instance, limits, machines } = world({ maximum: 3 });
    const books = instance();
    for (const letters of ['a', 'b', 'c'])
      await books.add('default', { machine: name(letters), owner: letters });
    limits.maximum = 1;
    expect(await books.claim('default', claim('a', small))).toMatchObject({ outcome: 'claimed' });
    machines.set('default-a', record('default-a', 0.1));
    expect(await books.claim('default', claim('b', small))).toMatchObject({ outcome: 'no-room' });
  });

  test('are told what others reserved on a machine that becomes another size', async () => {
    const { instance, rooms } = world({ offered: [large] });
    const books = instance();
    const reserve = (reservation: string) =>
      books.reserve('default', {
        reservation,
        group: 'g',
        demand: { cpu: 1.5, memory: 64, port: false },
        avoid: [],
        owner: reservation,
      });
    await reserve('one');
    await reserve('two');
    const [room] = await rooms();
    const asked = { ...claim('x', small, large), machine: room!.machine };
    expect(await books.claim('default', asked)).toMatchObject({ offering: large });
  });

  test('are passed by nobody, in any order of needs, additions, claims, failures and removals', async () => {
    const step = fc.record({
      kind: fc.constantFrom('reserve', 'reserve', 'add', 'claim', 'claim', 'claim', 'forget'),
      at: fc.integer({ min: 0, max: 5 }),
      dear: fc.boolean(),
    });
    const plan = fc.record({
      steps: fc.array(step, { minLength: 4, maxLength: 24 }),
      maximum: fc.integer({ min: 1, max: 4 }),
      hourlyLimit: fc.option(fc.constantFrom(0.1, 0.3, 0.5, 0.75), { nil: undefined }),
      seed: fc.integer(),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, maximum, hourlyLimit, seed }) => {
        let state = seed >>> 0;
        const random = () => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          return state / 2 ** 32;
        };
        const made = world({
          maximum,
          offered: [large, small],
          random,
          ...(hourlyLimit !== undefined && { hourlyLimit }),
        });
        const processes = [made.instance(), made.instance(), made.instance()];
        /** What Azure has been asked for: a record stands for a VM. */
        const check = () => {
          const cost = [...made.machines.values()].reduce((sum, { hourly = 0 }) => sum + hourly, 0);
          expect(made.machines.size).toBeLessThanOrEqual(maximum);
          if (hourlyLimit !== undefined) expect(cost).toBeLessThanOrEqual(hourlyLimit + 1e-9);
        };
        const take = async ({ kind, at, dear }: (typeof steps)[number], index: number) => {
          const books = processes[index % processes.length]!;
          const machine = name(`m${at}`);
          if (kind === 'reserve')
            await books.reserve('default', {
              reservation: `r${index}`,
              group: 'g',
              demand: { cpu: 1, memory: 64, port: false },
              avoid: [],
              owner: `r${index}`,
            });
          if (kind === 'add') await books.add('default', { machine, owner: machine });
          if (kind === 'claim') {
            const offers = dear ? [large, small] : [small, large];
            const claimed = await books.claim('default', claim(`m${at}`, ...offers));
            if (claimed.outcome === 'claimed')
              made.machines.set(machine, record(machine, claimed.offering.hourly));
            check();
          }
          const known = made.machines.get(machine);
          if (kind === 'forget' && known !== undefined) {
            // As its retirement does, which nothing is placed on any more: its place first, then its record.
            const status = { state: 'retiring', since: '2026-11-25T12:00:00Z', reason: 'removed' } as const;
            made.machines.set(machine, { ...known, status });
            await books.removeMachine('default', machine);
            made.machines.delete(machine);
          }
        };
        const work = steps.map((one, index) => ({ work: () => take(one, index) }));
        await made.interleaving.all(work[Symbol.iterator](), 6);
        check();
        expect((await made.rooms()).length).toBeLessThanOrEqual(maximum);
      }),
    );
  });
});
