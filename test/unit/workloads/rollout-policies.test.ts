import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RolloutPolicy } from '../../../shared/model/rollout-policy.ts';
import { type Desired, nextSteps } from '../../../shared/workloads/next-steps.ts';
import {
  isLive,
  type Observed,
  type ObservedReplica,
  type Phase,
} from '../../../shared/workloads/observed.ts';
import { paceOf } from '../../../shared/workloads/pace.ts';
import { long } from '../../support/sample.ts';
import { type Outcome, simulate, type Trouble, type World } from './simulated-rollout.ts';

const NOW = 1_000_000_000;
const RUNS = { numRuns: long ? 1_000 : 50 };
const healthy: Phase = { phase: 'healthy', since: NOW - 100_000 };
const replica = (revision: number, slot: number, state: Phase, generation = 1): ObservedReplica => ({
  revision,
  slot,
  generation,
  machine: 'm',
  failures: 0,
  state,
});
const serving = (count: number): Observed => ({
  replicas: Array.from({ length: count }, (_, slot) => replica(1, slot, healthy)),
  coming: [],
});
const plenty: World = { behaviour: 'healthy', room: 1_000, troubles: [] };
const to = (policy: unknown, count = 4, before = count): Desired => ({
  revision: 2,
  count,
  proven: false,
  deadline: 30_000,
  serving: { revision: 1, count: before },
  policy: RolloutPolicy.parse(policy),
});
const live = ({ replicas }: Observed) => replicas.filter(isLive).length;
const gets = ({ state }: ObservedReplica) => state.phase === 'healthy' && state.standby !== true;
const served = ({ replicas }: Observed, revision?: number) =>
  replicas.filter((one) => gets(one) && (revision === undefined || one.revision === revision)).length;
const counts = ({ rounds, end }: Outcome) =>
  [...rounds.map(({ before }) => before), end].map(
    (state) => [served(state, 1), served(state, 2), live(state)] as const,
  );

describe('rolling', () => {
  test('one more at a time: the next starts when an old one has gone for the one before', () => {
    const { end, failure, rounds } = simulate(to({ surge: 1 }), serving(4), plenty);
    expect(failure).toBeUndefined();
    expect(end.replicas.map(({ revision, slot }) => [revision, slot])).toEqual(
      [0, 1, 2, 3].map((n) => [2, n]),
    );
    for (const { after } of rounds) expect(live(after)).toBeLessThanOrEqual(5);
    for (const { after } of rounds) expect(served(after)).toBeGreaterThanOrEqual(4);
  });

  test('one fewer at a time: an old one goes first', () => {
    const { end, rounds } = simulate(to({ surge: 0, unavailable: 1 }), serving(4), plenty);
    expect(end.replicas.every(({ revision }) => revision === 2)).toBe(true);
    for (const { after } of rounds) expect(live(after)).toBeLessThanOrEqual(4);
    for (const { after } of rounds) expect(served(after)).toBeGreaterThanOrEqual(3);
  });

  test('of a number that never came to be, as many stay as were there', () => {
    const desired = to({ surge: 0, unavailable: 1 });
    const shortage = { since: NOW, retryAt: NOW + 5_000, reason: 'no machine has room' };
    const next = (progress?: { stage: number; served: number }) =>
      nextSteps(desired, { ...serving(1), shortage, ...(progress && { progress }) }, NOW);
    const kinds = (one: ReturnType<typeof next>) =>
      one.kind === 'steps' ? one.steps.map(({ step }) => step) : one.kind;
    expect(kinds(next({ stage: 0, served: 1 }))).toContain('stop-replica');
    expect(kinds(next())).not.toContain('stop-replica');
  });

  test('a share of few replicas that would be none is one', () => {
    const { finished, end } = simulate(to({ surge: 0, unavailable: '10%' }, 2), serving(2), plenty);
    expect(finished).toBe(true);
    expect(served(end, 2)).toBe(2);
  });

  test('a failure while it bakes fails it, though no old one is left', () => {
    const bad: World = {
      ...plenty,
      troubles: [...Array<Trouble>(8).fill('none'), 'exit', 'exit', 'exit', 'exit', 'exit'],
    };
    const { failure, end } = simulate(to({ bake: 60 }, 1), serving(1), bad);
    expect(failure?.code).toBe('container-exited');
    expect(end.promoted).toBeUndefined();
  });

  test('its breaker lets as many starts fail as it says', () => {
    const failing: World = { ...plenty, behaviour: 'exits' };
    const starts = (policy: unknown) =>
      simulate(to(policy), serving(4), failing)
        .rounds.flatMap(({ steps }) => steps)
        .filter(({ step }) => step === 'start-replica').length;
    expect(starts({ surge: 1 })).toBe(1);
    expect(starts({ surge: 1, breaker: {} })).toBe(3);
    expect(starts({ surge: 1, breaker: { percent: 100, least: 1 } })).toBe(4);
  });

  test('its deadline ends it, and says what it waited for', () => {
    const { failure, end } = simulate({ ...to({ deadline: 20 }), until: NOW + 20_000 }, serving(4), {
      ...plenty,
      behaviour: 'never-healthy',
    });
    expect(failure).toEqual({
      code: 'rollout-deadline',
      reason: 'the rollout was not done within 20 s: 0 of 4 new replicas are healthy; it waits for: 503',
    });
    expect(end.replicas).toEqual(serving(4).replicas);
  });

  test('stops where it is when it fails, if its policy says so', () => {
    const desired = to({ surge: 1, onFailure: 'stop' });
    const { failure, end } = simulate(desired, serving(4), { ...plenty, behaviour: 'exits' });
    expect(failure?.code).toBe('container-exited');
    expect(served(end, 1)).toBe(4);
    expect(end.replicas.filter(({ revision }) => revision === 2)).toHaveLength(1);
  });
});

describe('blue-green', () => {
  test('requests go over at once when the last new one is healthy, and old ones stay while it bakes', () => {
    const outcome = simulate(to({ strategy: 'blue-green', bake: 30 }), serving(4), plenty);
    expect(new Set(counts(outcome).map(([one, two]) => `${one} ${two}`))).toEqual(new Set(['4 0', '0 4']));
    const baking = counts(outcome).filter(([one, two, all]) => one === 0 && two === 4 && all === 8);
    expect(baking.length).toBeGreaterThan(2);
    expect(outcome.end.replicas.every((one) => one.revision === 2 && gets(one))).toBe(true);
  });

  test('a failure while it bakes gives requests back at once', () => {
    const troubles = [...Array<Trouble>(6).fill('none'), ...Array<Trouble>(20).fill('exit')];
    const outcome = simulate(to({ strategy: 'blue-green', bake: 50 }), serving(4), { ...plenty, troubles });
    expect(outcome.failure?.code).toBe('container-exited');
    expect(outcome.end.replicas.map(({ revision }) => revision)).toEqual([1, 1, 1, 1]);
    expect(served(outcome.end, 1)).toBe(4);
  });

  test('where nothing served before, the first ones do at once', () => {
    const { serving: _, ...first } = to({ strategy: 'blue-green', bake: 30 });
    const { end } = simulate(first, { replicas: [], coming: [] }, plenty);
    expect(served(end, 2)).toBe(4);
  });
});

describe('canary', () => {
  const policy = {
    strategy: 'canary',
    steps: [
      { percent: 10, pause: 20 },
      { percent: 50, pause: 'until-resumed' },
    ],
  };

  test('goes by its steps, with that share of the replicas', () => {
    const outcome = simulate(to(policy), serving(4), plenty);
    const seen = [...new Set(counts(outcome).map(([one, two]) => `${one} ${two}`))];
    expect(seen).toEqual(expect.arrayContaining(['4 0', '3 1', '2 2', '0 4']));
    expect(outcome.end.replicas.map(({ revision }) => revision)).toEqual([2, 2, 2, 2]);
  });

  test('waits at a step until somebody resumes it, and says so', () => {
    const state: Observed = {
      replicas: [
        ...[0, 1].map((slot) => replica(1, slot, healthy)),
        ...[2, 3].map((slot) => replica(1, slot, { ...healthy, standby: true })),
        ...[0, 1].map((slot) => replica(2, slot, healthy, 2)),
      ],
      coming: [],
      progress: { stage: 1, stageSince: NOW },
    };
    expect(nextSteps(to(policy), state, NOW)).toEqual({
      kind: 'pause',
      pause: {
        why: 'step',
        reason: 'step 2 of 2: 2 of 4 replicas are new and healthy; it waits until somebody resumes it',
      },
    });
  });

  test('an old one that dies while it waits is made anew', () => {
    const state: Observed = {
      replicas: [
        ...[0, 1, 2].map((slot) => replica(1, slot, healthy)),
        replica(1, 3, { phase: 'lost' }),
        replica(2, 0, healthy, 2),
      ],
      coming: [],
      progress: { stage: 0, stageSince: NOW },
    };
    const short = { ...to(policy), serving: { revision: 1, count: 4 } };
    const lone: Observed = {
      ...state,
      replicas: state.replicas.filter(({ slot, revision }) => revision === 2 || slot === 0),
    };
    expect(nextSteps(short, lone, NOW)).toMatchObject({
      steps: [
        { step: 'start-replica', revision: 1, slot: 1 },
        { step: 'start-replica', revision: 1, slot: 2 },
      ],
    });
  });

  test('a canary that fails leaves all that served', () => {
    const outcome = simulate(to(policy), serving(4), { ...plenty, behaviour: 'exits' });
    expect(outcome.failure?.code).toBe('container-exited');
    expect(outcome.end.replicas).toEqual(serving(4).replicas);
    for (const [one] of counts(outcome)) expect(one).toBe(4);
  });
});

describe('paused', () => {
  test('starts and stops nothing, but makes anew what died', () => {
    const desired: Desired = { ...to({ surge: 1 }), hold: 'paused' };
    const state: Observed = {
      replicas: [...[1, 2, 3].map((slot) => replica(1, slot, healthy)), replica(2, 0, { phase: 'lost' }, 2)],
      coming: [],
    };
    expect(nextSteps(desired, state, NOW)).toMatchObject({
      steps: [{ step: 'start-replica', revision: 2, slot: 0, generation: 3 }],
    });
    const whole = { ...state, replicas: [...state.replicas.slice(0, 3), replica(2, 0, healthy, 2)] };
    expect(nextSteps(desired, whole, NOW)).toMatchObject({ kind: 'pause', pause: { why: 'asked' } });
  });
});

describe('what comes before', () => {
  test('those that it depends on, then its step, then the first replica', () => {
    const desired: Desired = { ...to({}), dependsOn: ['db'], before: true };
    const { rounds } = simulate(desired, serving(4), plenty);
    expect(rounds.slice(0, 3).map(({ steps }) => steps[0]?.step)).toEqual([
      'await-dependencies',
      'await-before',
      'start-replica',
    ]);
  });

  test('those that it depends on are waited for only so long', () => {
    const desired: Desired = { ...to({}), dependsOn: ['db'] };
    const state = { ...serving(4), gates: { dependencies: { since: NOW - 600_000, reason: 'db: rolling' } } };
    expect(nextSteps(desired, state, NOW)).toMatchObject({
      steps: [{ step: 'give-up', failure: { code: 'dependency-not-healthy', reason: 'db: rolling' } }],
    });
  });
});

describe('restart', () => {
  const ended = (exitCode: number): Observed => ({
    replicas: [replica(2, 0, { phase: 'exited', at: NOW, exitCode, lastLines: [], wasHealthy: true })],
    coming: [],
  });
  const desired: Desired = { revision: 2, count: 1, proven: true, deadline: 30_000 };
  test('always, on failure, or never', () => {
    const kind = (restart: Desired['restart'], code: number) =>
      nextSteps({ ...desired, restart }, ended(code), NOW).kind;
    expect([kind('always', 0), kind('always', 1)]).toEqual(['steps', 'steps']);
    expect([kind('on-failure', 0), kind('on-failure', 1)]).toEqual(['finish', 'steps']);
    expect([kind('never', 0), kind('never', 1)]).toEqual(['finish', 'finish']);
  });
});

const amount = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 2 }) },
  fc.integer({ min: 3, max: 6 }),
  fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`),
);
const anyPolicy: fc.Arbitrary<RolloutPolicy> = fc
  .record({
    strategy: fc.constantFrom('rolling', 'blue-green', 'canary'),
    surge: fc.option(amount, { nil: undefined }),
    unavailable: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 }), amount),
    steps: fc
      .uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 3 })
      .map((shares) =>
        shares
          .sort((a, b) => a - b)
          .map((percent, index) => ({ percent, pause: index === 1 ? 'until-resumed' : index * 40 })),
      ),
    bake: fc.constantFrom(0, 0, 15, 100),
    breaker: fc.option(fc.record({ percent: fc.integer({ min: 1, max: 100 }) }), { nil: undefined }),
  })
  .map(({ strategy, surge, unavailable, steps, ...rest }) =>
    RolloutPolicy.safeParse({
      ...rest,
      strategy,
      ...(strategy === 'canary' && { steps }),
      ...(strategy !== 'blue-green' && { surge, unavailable }),
    }),
  )
  .filter(({ success }) => success)
  .map(({ data }) => data as RolloutPolicy);

const phase = fc.constantFrom<Phase>(
  healthy,
  { ...healthy, standby: true } as Phase,
  { phase: 'running', since: NOW },
  { phase: 'placed', tries: 0, retryAt: 0 },
  { phase: 'unhealthy', since: NOW, reason: '503' },
  { phase: 'unhealthy', since: NOW, reason: 'deadlock', dead: true },
  { phase: 'lost' },
  { phase: 'exited', at: NOW, exitCode: 7, lastLines: [], wasHealthy: false },
);
const anyState: fc.Arbitrary<Observed> = fc
  .array(
    fc.record({
      revision: fc.integer({ min: 1, max: 3 }),
      slot: fc.integer({ min: 0, max: 6 }),
      state: phase,
    }),
    {
      maxLength: 14,
    },
  )
  .map((all) => ({
    replicas: all.map(({ revision, slot, state }, index) => replica(revision, slot, state, index + 1)),
    coming: [],
  }));
const anyDesired: fc.Arbitrary<Desired> = fc
  .record({
    count: fc.integer({ min: 0, max: 6 }),
    before: fc.option(fc.integer({ min: 0, max: 6 })),
    policy: anyPolicy,
    hold: fc.constantFrom(undefined, undefined, undefined, 'paused' as const),
    proven: fc.boolean(),
  })
  .map(({ count, before, policy, hold, proven }) => ({
    revision: 3,
    count,
    proven,
    deadline: 30_000,
    ...(!proven && { serving: { revision: 2, count: before ?? count } }),
    policy,
    hold,
  }));
/** What there mostly is: all of what serves, and now and then something else beside it. */
const anyCase: fc.Arbitrary<readonly [Desired, Observed]> = anyDesired.chain((desired) =>
  fc.tuple(
    fc.constant(desired),
    fc.oneof(
      { weight: 1, arbitrary: anyState },
      {
        weight: 3,
        arbitrary: anyState.map((state) => {
          const { revision, count } = desired.serving ?? { revision: 3, count: desired.count };
          const whole = Array.from({ length: count }, (_, slot) =>
            replica(revision, slot, healthy, slot + 100),
          );
          const own = (one: ObservedReplica) => one.revision === revision;
          const others = state.replicas.filter((one) => !own(one)).slice(0, state.replicas.length % 3);
          return { ...state, replicas: [...whole, ...others] };
        }),
      },
    ),
  ),
);
const anyWorld: fc.Arbitrary<World> = fc.record({
  behaviour: fc.constantFrom('healthy', 'healthy', 'slow', 'exits', 'never-healthy', 'exits-from-slot-2'),
  room: fc.constant(1_000),
  troubles: fc.array(
    fc.constantFrom<Trouble>('none', 'exit', 'lose', 'unreachable', 'machine-coming', 'machine-fails'),
    { maxLength: 25 },
  ),
});

/** As the orchestrator does it: a rollout that failed goes back to what served. */
function carryOut(desired: Desired, state: Observed, world: World): readonly Outcome[] {
  const outcome = simulate(desired, state, world);
  const { serving: before, ...rest } = desired;
  if (outcome.failure === undefined || before === undefined) return [outcome];
  const back: Desired = { ...rest, ...before, proven: true };
  const start: Observed = { replicas: outcome.end.replicas, coming: [] };
  return [outcome, simulate(back, start, { ...plenty, troubles: [] })];
}

describe('every strategy, from any state in any world', () => {
  test('comes to an end in bounded steps, each with its reason', () => {
    fc.assert(
      fc.property(anyCase, anyWorld, ([desired, state], world) => {
        for (const { finished, rounds } of carryOut(desired, state, world)) {
          expect(finished).toBe(true);
          for (const { steps } of rounds)
            for (const { reason } of steps) expect(reason.length).toBeGreaterThan(2);
        }
      }),
      RUNS,
    );
  });

  test('never more than count and surge, and where there were more, not one more', () => {
    fc.assert(
      fc.property(anyCase, anyWorld, ([desired, state], world) => {
        const { limit } = paceOf(desired.policy, desired.count, desired.serving?.count);
        for (const { rounds } of carryOut(desired, state, world).slice(0, 1))
          for (const { before, after } of rounds)
            expect(live(after)).toBeLessThanOrEqual(Math.max(live(before), limit));
      }),
      RUNS,
    );
  });

  test('never stops below the disruption budget what was above it', () => {
    fc.assert(
      fc.property(anyCase, anyWorld, ([desired, state], world) => {
        const { floor } = paceOf(desired.policy, desired.count, desired.serving?.count);
        for (const { rounds } of carryOut(desired, state, world))
          for (const { before, after } of rounds) {
            // Those in slots that are too many go, whoever serves.
            const { serving: own = { revision: 3, count: desired.count } } = desired;
            const few = ({ slot, revision }: ObservedReplica) =>
              slot < (revision === own.revision ? Math.min(own.count, desired.count) : desired.count);
            const twice = new Set(before.replicas.map(({ revision, slot }) => `${revision}.${slot}`)).size;
            if (twice < before.replicas.length || !before.replicas.every(few)) continue;
            expect(served(after)).toBeGreaterThanOrEqual(Math.min(served(before), floor));
          }
      }),
      RUNS,
    );
  });

  test('never two live ones of one replica', () => {
    fc.assert(
      fc.property(anyCase, anyWorld, ([desired, state], world) => {
        for (const { rounds } of carryOut(desired, state, world))
          for (const { before, after } of rounds)
            for (const { revision, slot } of after.replicas) {
              const of = ({ replicas }: Observed) =>
                replicas.filter((one) => one.revision === revision && one.slot === slot && isLive(one))
                  .length;
              expect(of(after)).toBeLessThanOrEqual(Math.max(1, of(before)));
              const names = after.replicas.map(({ slot, generation }) => `${slot}.g${generation}`);
              expect(new Set(names).size).toBe(names.length);
            }
      }),
      RUNS,
    );
  });

  test('with a good revision it ends with exactly the wanted replicas, all of which get requests', () => {
    fc.assert(
      fc.property(anyCase, ([desired, state]) => {
        const fresh = {
          ...state,
          replicas: state.replicas.filter((one) => one.revision !== 3 || isLive(one)),
        };
        const alive = fresh.replicas.map((one) =>
          one.revision === 3 && one.state.phase === 'unhealthy' && one.state.dead
            ? { ...one, state: healthy }
            : one,
        );
        const { hold: _, ...going } = desired;
        const { end, failure } = simulate(going, { ...fresh, replicas: alive }, plenty);
        expect(failure).toBeUndefined();
        expect(end.replicas.map(({ slot }) => slot).sort()).toEqual(
          Array.from({ length: desired.count }, (_, slot) => slot),
        );
        expect(end.replicas.every((one) => one.revision === 3 && gets(one))).toBe(true);
      }),
      RUNS,
    );
  });

  test('one that failed ends with exactly what served before, all of which gets requests', () => {
    fc.assert(
      fc.property(anyCase, ([desired, state]) => {
        if (desired.serving === undefined || desired.hold !== undefined || desired.count === 0) return;
        const fresh = { ...state, replicas: state.replicas.filter(({ revision }) => revision !== 3) };
        const [failed, back] = carryOut(desired, fresh, { ...plenty, behaviour: 'exits' });
        expect(failed?.failure).toBeDefined();
        expect(back?.end.replicas.map(({ slot }) => slot).sort()).toEqual(
          Array.from({ length: desired.serving.count }, (_, slot) => slot),
        );
        expect(back?.end.replicas.every((one) => one.revision === 2 && gets(one))).toBe(true);
      }),
      RUNS,
    );
  });
});
