import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetOf, isAway } from '../../../shared/machines/replacement/budget.ts';
import { cordoned, uncordoned } from '../../../shared/machines/replacement/cordon.ts';
import { dueOf } from '../../../shared/machines/replacement/due.ts';
import {
  type ReplacementStep,
  replacementSteps,
} from '../../../shared/machines/replacement/replacement-steps.ts';
import { type Cordon, Machine } from '../../../shared/model/machine.ts';
import { PoolName } from '../../../shared/model/names.ts';
import { PoolSpec } from '../../../shared/model/pool.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const IMAGE = 'Debian:debian-13:13-gen2:latest';
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000).toISOString();
const spec = (wishes: Record<string, unknown> = {}) => PoolSpec.parse(wishes);
const pool = PoolName.parse('default');
const LETTERS = 'bcdfghjkmnpqrstvwxz';
const machine = (index: number, more: Record<string, unknown> = {}) =>
  Machine.parse({
    name: `default-bbbbb${LETTERS[index]}`,
    pool: 'default',
    size: 'Standard_B2s',
    image: IMAGE,
    resources: { vm: 'x', nic: 'x', disk: 'x' },
    vmId: '/x',
    cpu: 2,
    memory: 3686,
    profile: 'now',
    createdAt: at(-1000),
    status: { state: 'ready', since: at(-900) },
    owner: 'x',
    ...more,
  });
const cordon = (by: Cordon['by'], drain = true): Cordon => ({ since: at(-10), by, reason: 'r', drain });
const steps = (
  records: readonly Machine[],
  wishes: Record<string, unknown> = {},
  more: { reserved?: readonly string[]; homeless?: string } = {},
): readonly ReplacementStep[] =>
  replacementSteps({
    now: NOW,
    pools: new Map([[pool, spec(wishes)]]),
    records,
    reserved: new Set(more.reserved),
    profileOf: () => 'now',
    homeless: () => more.homeless,
  });
const brief = (all: readonly ReplacementStep[]) => all.map((one) => `${one.step} ${one.machine.name}`);

describe('dueOf', () => {
  const due = (more: Record<string, unknown>, wishes: Record<string, unknown> = {}) =>
    dueOf(machine(0, more), spec(wishes), 'now', NOW)?.reason;

  test('a machine that is as its pool wants it is not due', () => {
    expect(due({})).toBeUndefined();
    expect(due({ profile: undefined, createdAt: undefined }, { expires: 600 })).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['image', { image: 'a:b:c:d' }, {}, `its image is a:b:c:d, and its pool has ${IMAGE}`],
    ['size', {}, { sizes: ['Standard_B4ms'] }, 'its size is Standard_B2s, and its pool has Standard_B4ms'],
    ['zone', { zone: '2' }, { zones: ['1', '3'] }, 'its zone is 2, and its pool has 1, 3'],
    ['spot', { priority: 'spot' }, {}, 'it is a spot machine, and its pool has none'],
    ['labels', { labels: { a: '1' } }, { labels: { a: '2' } }, 'its labels are not those of its pool'],
    ['profile', { profile: 'old' }, {}, 'what it was made from is old, and would be now now'],
    [
      'certificate',
      { certificate: { serial: '1', notAfter: at(86_400) } },
      {},
      `its certificate ends on ${at(86_400)} and was not renewed`,
    ],
    ['age', {}, { expires: 900 }, 'it is 1000 s old, and machines of its pool expire after 900 s'],
  ])('another %s', (_what, more, wishes, reason) => {
    expect(due(more, wishes)).toBe(reason);
  });
});

describe('budgetOf', () => {
  test.each([
    [2, 10, 2],
    [0, 10, 0],
    ['10%', 50, 5],
    ['10%', 3, 1],
    ['0%', 50, 0],
    ['100%', 7, 7],
  ])('%s of %i machines are %i', (budget, machines, expected) => {
    expect(budgetOf(spec({ budget }), machines)).toBe(expected);
  });
});

describe('replacementSteps', () => {
  const drifted = (index: number, more = {}) => machine(index, { profile: 'old', ...more });

  test('one after another, the empty first, then the oldest', () => {
    const records = [drifted(0, { createdAt: at(-5000) }), drifted(1), drifted(2, { createdAt: at(-2000) })];
    const reserved = [records[0]?.name ?? '', records[1]?.name ?? ''];
    const all = steps(records, {}, { reserved });
    expect(brief(all)).toEqual([
      'replace default-bbbbbd',
      'postpone default-bbbbbb',
      'postpone default-bbbbbc',
    ]);
    expect(all[1]?.reason).toBe('1 of at most 1 machines of its pool are away already');
  });

  test('what is on it has no other room: it waits and says why', () => {
    const [first] = steps([drifted(0)], {}, { homeless: 'dev.hello.web: the pool has its maximum' });
    expect(first).toMatchObject({ step: 'postpone', reason: 'dev.hello.web: the pool has its maximum' });
  });

  test('one that is silent, retiring or drained for another reason is away already', () => {
    for (const away of [
      machine(1, { status: { state: 'silent', since: at(0) } }),
      machine(1, { status: { state: 'retiring', since: at(0), reason: 'x' } }),
      machine(1, { cordon: cordon('eviction') }),
    ])
      expect(brief(steps([drifted(0), away]))).toEqual(['postpone default-bbbbbb']);
  });

  test('a machine that is as its pool wants it again is kept', () => {
    expect(brief(steps([machine(0, { cordon: cordon('drift') })]))).toEqual(['keep default-bbbbbb']);
    const due = { since: at(0), by: 'drift', reason: 'x', waits: 'y' };
    expect(brief(steps([machine(0, { due })]))).toEqual(['forget-due default-bbbbbb']);
    expect(steps([machine(0, { cordon: { ...cordon('drift'), drainedAt: at(0) } })])).toEqual([]);
  });

  test('a cordon of the user keeps no machine from being replaced, and a budget of 0 does', () => {
    const held = drifted(0, { cordon: cordon('user', false) });
    expect(brief(steps([held]))).toEqual(['replace default-bbbbbb']);
    expect(brief(steps([held], { budget: 0 }))).toEqual(['postpone default-bbbbbb']);
  });

  test('machines made by hand, and those of pools that are gone, stay', () => {
    const hand = machine(0, { pool: 'by-hand', profile: 'old' });
    const gone = machine(1, { pool: 'gone', profile: 'old' });
    expect(steps([hand, gone])).toEqual([]);
  });

  const budgets = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('1%', '10%', '50%', '100%'));
  const anyMachine = fc.record({
    profile: fc.constantFrom('old', 'now'),
    createdAt: fc.integer({ min: -5000, max: 0 }).map(at),
    state: fc.constantFrom('ready', 'ready', 'ready', 'silent', 'booting'),
    fits: fc.boolean(),
  });

  test('in any order of events no more are away than the budget, and at the end no machine that fits is drifted', () => {
    fc.assert(
      fc.property(
        budgets,
        fc.array(anyMachine, { maxLength: 15 }),
        fc.array(fc.integer({ min: 0, max: 14 }), { minLength: 40, maxLength: 40 }),
        (budget, wanted, finished) => {
          const stuck = new Set<string>();
          let records = wanted.map(({ state, fits, ...more }, index) => {
            const made = machine(index, { ...more, status: { state, since: at(-1) } });
            if (!fits) stuck.add(made.name);
            return made;
          });
          const silent = records.filter(isAway).length;
          const round = (done: number | undefined) => {
            const allowed = budgetOf(spec({ budget }), records.length);
            for (const step of replacementSteps({
              now: NOW,
              pools: new Map([[pool, spec({ budget })]]),
              records,
              reserved: new Set(),
              profileOf: () => 'now',
              homeless: ({ name }) => (stuck.has(name) ? 'no room' : undefined),
            }))
              if (step.step === 'replace')
                records = records.map((one) =>
                  one.name === step.machine.name ? { ...one, cordon: cordon('drift') } : one,
                );
            expect(records.filter(isAway).length).toBeLessThanOrEqual(Math.max(allowed, silent));
            // One of those under way is drained and gone; its pool has a new one in its place.
            const away = records.filter((one) => one.cordon !== undefined);
            const gone = done === undefined ? away[0] : away[done % Math.max(1, away.length)];
            records = records.map((one) =>
              one === gone ? { ...machine(0), name: one.name, createdAt: at(0) } : one,
            );
          };
          for (const done of finished) round(done);
          const left = records.filter((one) => one.profile === 'old' && one.status.state === 'ready');
          const blocked = silent >= budgetOf(spec({ budget }), records.length);
          if (!blocked) expect(left.every((one) => stuck.has(one.name))).toBe(true);
        },
      ),
    );
  });
});

describe('cordons', () => {
  test('the weightier reason wins, and keeps the machine', () => {
    const evicted = cordoned(machine(0, { cordon: cordon('user') }), cordon('eviction'));
    expect(evicted?.cordon?.by).toBe('eviction');
    expect(cordoned(machine(0, { cordon: cordon('eviction') }), cordon('user'))).toBeUndefined();
    expect(cordoned(machine(0, { cordon: cordon('user', false) }), cordon('user'))?.cordon?.drain).toBe(true);
    const retiring = { status: { state: 'retiring', since: at(0), reason: 'x' } };
    expect(cordoned(machine(0, retiring), cordon('user'))).toBeUndefined();
  });

  test('a user takes back what users asked for', () => {
    expect(uncordoned(machine(0, { cordon: cordon('user') }))?.cordon).toBeUndefined();
    expect(uncordoned(machine(0))).toBeUndefined();
    expect(() => uncordoned(machine(0, { cordon: cordon('eviction') }))).toThrow('cordoned by eviction');
  });
});
