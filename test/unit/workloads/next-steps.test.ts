import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Desired, nextSteps } from '../../../shared/workloads/next-steps.ts';
import {
  isLive,
  type Observed,
  type ObservedReplica,
  type Phase,
} from '../../../shared/workloads/observed.ts';
import { requestOf, simulate, type Trouble, type World } from './simulated-rollout.ts';

const NOW = 1_000_000_000;
const replica = (revision: number, slot: number, state: Phase, generation = 1): ObservedReplica => ({
  revision,
  slot,
  generation,
  machine: 'm',
  failures: 0,
  state,
});
const healthy: Phase = { phase: 'healthy', since: NOW - 100_000 };
const exited: Phase = { phase: 'exited', at: NOW, exitCode: 7, lastLines: ['boom'], wasHealthy: false };
const observed = (...replicas: ObservedReplica[]): Observed => ({ replicas, coming: [] });
const first: Desired = { revision: 1, count: 2, proven: false, deadline: 30_000 };
const second: Desired = { ...first, revision: 2, serving: { revision: 1, count: 2 } };
const plenty: World = { behaviour: 'healthy', room: 100, troubles: [] };
const stepsOf = (desired: Desired, state: Observed) => {
  const next = nextSteps(desired, state, NOW);
  return next.kind !== 'steps' ? [next] : next.steps.map(({ step }) => step);
};

describe('nextSteps', () => {
  test('starts every empty slot at once', () => {
    expect(stepsOf(first, observed())).toEqual(['start-replica', 'start-replica']);
  });

  test('keeps the old revision until every new slot is healthy', () => {
    const old = [replica(1, 0, healthy), replica(1, 1, healthy)];
    expect(stepsOf(second, observed(...old))).toEqual(['start-replica', 'start-replica']);
    const half = [...old, replica(2, 0, healthy, 2), replica(2, 1, { phase: 'running', since: NOW }, 2)];
    expect(stepsOf(second, observed(...half))).toEqual(['check-replica']);
    const all = [...old, replica(2, 0, healthy, 2), replica(2, 1, healthy, 2)];
    expect(stepsOf(second, observed(...all))).toEqual(['promote', 'stop-replica', 'stop-replica']);
  });

  test('a replica that is lost after the old ones went is replaced: the others are not taken back', () => {
    const lost = replica(2, 0, { phase: 'lost' }, 2);
    const promoted = { ...observed(lost, replica(2, 1, healthy, 2)), promoted: true };
    expect(stepsOf(second, promoted)).toEqual(['start-replica']);
    const ended = { ...observed({ ...replica(2, 0, exited), failures: 8 }, replica(2, 1, healthy)) };
    expect(nextSteps(second, { ...ended, promoted: true }, NOW)).toMatchObject({ kind: 'finish' });
    expect(stepsOf(second, ended)).toEqual(['give-up']);
  });

  test('a container that exits at once fails the rollout with its exit code and last lines, the old one serves on', () => {
    const old = [replica(1, 0, healthy), replica(1, 1, healthy)];
    const { end, failure } = simulate(second, observed(...old), { ...plenty, behaviour: 'exits' });
    expect(failure).toMatchObject({ code: 'container-exited', exitCode: 3, lastLines: ['boom'] });
    expect(end.replicas).toEqual(old);
  });

  test('a replica that is not healthy within its deadline fails the rollout', () => {
    const { failure } = simulate(first, observed(), { ...plenty, behaviour: 'never-healthy' });
    expect(failure?.code).toBe('health-check-failed');
  });

  test('one that dies later gets a new generation, at once if it had been stable', () => {
    const desired = { ...first, proven: true };
    const next = nextSteps(desired, observed(replica(1, 0, healthy), replica(1, 1, exited)), NOW);
    expect(next).toMatchObject({
      kind: 'steps',
      steps: [{ step: 'start-replica', slot: 1, generation: 2, replaces: { slot: 1, generation: 1 } }],
    });
  });

  test('one that dies again and again waits longer each time, and long pauses are left to the sweep', () => {
    const desired = { ...first, count: 1, proven: true };
    const pause = (failures: number) =>
      nextSteps(desired, observed({ ...replica(1, 0, exited), failures }), NOW);
    expect(pause(3)).toMatchObject({ steps: [{ step: 'wait', until: NOW + 4_000 }] });
    expect(pause(8)).toMatchObject({ kind: 'finish', failure: { code: 'container-exited', exitCode: 7 } });
  });

  test('a lost machine: its replicas start elsewhere', () => {
    const next = nextSteps({ ...first, count: 1 }, observed(replica(1, 0, { phase: 'lost' })), NOW);
    expect(next).toMatchObject({ steps: [{ step: 'start-replica', generation: 2, avoid: ['m'] }] });
  });

  test('too many are stopped', () => {
    const state = observed(replica(1, 0, healthy), replica(1, 1, healthy), replica(1, 2, healthy));
    expect(stepsOf(first, state)).toEqual(['stop-replica']);
  });

  test('several replicas wait for one machine once', () => {
    const placed: Phase = { phase: 'placed', tries: 0, retryAt: 0 };
    const state = {
      ...observed(replica(1, 0, placed), replica(1, 1, placed)),
      coming: [{ name: 'm', provision: requestOf('m') }],
    };
    expect(stepsOf(first, state)).toEqual(['provision-machine']);
  });

  test('where room is short, an old replica goes for each new one that is healthy', () => {
    const old = [replica(1, 0, healthy), replica(1, 1, healthy)];
    const { failure, end } = simulate(second, observed(...old), { ...plenty, room: 3 });
    expect(failure).toBeUndefined();
    expect(end.replicas.map(({ revision }) => revision)).toEqual([2, 2]);
  });

  test('a way back that finds no room at all has one go first; a rollout never has', () => {
    const back: Desired = { ...first, count: 1, proven: true, serving: { revision: 2, count: 1 } };
    const stopsIn = (desired: Desired) =>
      simulate(desired, observed(replica(2, 0, healthy)), { ...plenty, room: 0 }).rounds.filter(({ steps }) =>
        steps.some((step) => step.step === 'stop-replica' && step.revision === 2),
      );
    const [stop, ...others] = stopsIn(back);
    expect(stop?.before.shortage).toBeDefined();
    expect(others).toEqual([]);
    expect(stopsIn({ ...back, proven: false })).toEqual([]);
  });

  test('no room at all fails with the reason', () => {
    expect(simulate(first, observed(), { ...plenty, room: 1 }).failure).toEqual({
      code: 'no-room',
      reason: 'full',
    });
  });
});

const phase: fc.Arbitrary<Phase> = fc.oneof(
  fc.constant<Phase>(healthy),
  fc.constant<Phase>({ phase: 'running', since: NOW }),
  fc.constant<Phase>({ phase: 'placed', tries: 0, retryAt: 0 }),
  fc.constant<Phase>({ phase: 'unhealthy', since: NOW, reason: '503' }),
  fc.constant<Phase>({ phase: 'lost' }),
  fc.constant<Phase>(exited),
);
const anyState: fc.Arbitrary<Observed> = fc
  .array(
    fc.record({
      revision: fc.integer({ min: 1, max: 3 }),
      slot: fc.integer({ min: 0, max: 5 }),
      state: phase,
    }),
    {
      maxLength: 12,
    },
  )
  .map((all) =>
    observed(...all.map(({ revision, slot, state }, index) => replica(revision, slot, state, index + 1))),
  );
const anyDesired: fc.Arbitrary<Desired> = fc
  .record({
    count: fc.integer({ min: 0, max: 5 }),
    proven: fc.boolean(),
    serving: fc.option(fc.record({ revision: fc.constant(2), count: fc.integer({ min: 0, max: 5 }) }), {
      nil: undefined,
    }),
  })
  .map((some) => ({ ...some, revision: 3, deadline: 30_000 }));
const troubles = fc.array(
  fc.constantFrom<Trouble>('none', 'exit', 'lose', 'unreachable', 'machine-coming', 'machine-fails'),
  { maxLength: 25 },
);
const anyWorld: fc.Arbitrary<World> = fc.record({
  behaviour: fc.constantFrom('healthy', 'exits', 'never-healthy', 'slow'),
  room: fc.integer({ min: 0, max: 20 }),
  troubles,
});

const live = (state: Observed) => state.replicas.filter(isLive);
const inPhase = (state: Observed, revision: number) =>
  state.replicas.filter((one) => one.revision === revision && one.state.phase === 'healthy').length;

describe('nextSteps, from any state in any world', () => {
  test('comes to an end', () => {
    fc.assert(
      fc.property(anyDesired, anyState, anyWorld, (desired, state, world) => {
        expect(simulate(desired, state, world).finished).toBe(true);
      }),
    );
  });

  test('with room and a good revision it ends with exactly the wanted replicas', () => {
    fc.assert(
      fc.property(anyDesired, anyState, troubles, (desired, state, bad) => {
        const fresh = observed(...state.replicas.filter((one) => one.revision !== 3 || isLive(one)));
        const gentle = bad.filter((trouble) => trouble !== 'machine-fails' && trouble !== 'unreachable');
        const world: World = { behaviour: 'healthy', room: 100, troubles: gentle };
        const { end, failure } = simulate({ ...desired, proven: true }, fresh, world);
        expect(failure).toBeUndefined();
        expect(end.replicas.map(({ slot }) => slot).sort()).toEqual(
          Array.from({ length: desired.count }, (_, slot) => slot),
        );
        expect(end.replicas.every((one) => one.revision === 3 && one.state.phase === 'healthy')).toBe(true);
      }),
    );
  });

  test('never more than what was there and the wanted count', () => {
    fc.assert(
      fc.property(anyDesired, anyState, anyWorld, (desired, state, world) => {
        const before = live(state).filter(({ revision }) => revision !== desired.revision).length;
        const own = live(state).length - before;
        for (const { after } of simulate(desired, state, world).rounds)
          expect(live(after).length).toBeLessThanOrEqual(before + Math.max(own, desired.count));
      }),
    );
  });

  test('never starts a slot that has a live replica of the revision, unless it replaces that one', () => {
    fc.assert(
      fc.property(anyDesired, anyState, anyWorld, (desired, state, world) => {
        for (const { before, after, steps } of simulate(desired, state, world).rounds) {
          const started = new Set(steps.flatMap((s) => (s.step === 'start-replica' ? [s.slot] : [])));
          for (const slot of started) {
            const of = ({ replicas }: Observed) =>
              replicas.filter((one) => one.revision === 3 && one.slot === slot && isLive(one)).length;
            expect(of(after)).toBeLessThanOrEqual(Math.max(1, of(before)));
          }
          if (before.replicas.every((one) => before.replicas.filter((o) => o.slot === one.slot).length === 1))
            for (let slot = 0; slot < desired.count; slot += 1)
              expect(
                live(after).filter((one) => one.revision === 3 && one.slot === slot).length,
              ).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('what serves never falls below what served before until the new replicas are healthy', () => {
    fc.assert(
      fc.property(anyDesired, anyState, anyWorld, (desired, state, world) => {
        const serving = desired.serving?.revision;
        if (serving === undefined) return;
        const floor = Math.min(inPhase(state, serving), desired.count, desired.serving?.count ?? 0);
        for (const { before, steps } of simulate(desired, state, world).rounds) {
          const stopped = steps.filter(
            (step) => step.step === 'stop-replica' && step.revision === serving,
          ).length;
          if (stopped === 0) continue;
          const left = inPhase(before, serving) - stopped + inPhase(before, desired.revision);
          const dead = before.replicas.some(
            (one) => one.revision === serving && one.state.phase !== 'healthy',
          );
          // A way back that finds no room at all has one go first.
          const least =
            before.shortage !== undefined && desired.proven ? Math.min(floor, desired.count - 1) : floor;
          if (!dead) expect(left).toBeGreaterThanOrEqual(least);
        }
      }),
    );
  });

  test('a failed rollout leaves nothing of its revision but what has to serve, and all of what served', () => {
    fc.assert(
      fc.property(anyState, anyWorld, fc.integer({ min: 1, max: 5 }), (state, world, count) => {
        const desired: Desired = { ...second, revision: 3, count, serving: { revision: 2, count: 5 } };
        const { end, failure } = simulate(desired, state, { ...world, behaviour: 'exits', room: 100 });
        // Once the new one serves there is no going back by halves: the orchestrator brings the old one back as a whole.
        if (failure === undefined || end.promoted === true) return;
        const left = end.replicas.filter(({ revision }) => revision === 3);
        expect(left.length).toBe(inPhase(end, 3));
        if (left.length > 0) expect(inPhase(end, 2) + left.length).toBeLessThanOrEqual(count);
        expect(inPhase(end, 2)).toBe(inPhase(state, 2));
      }),
    );
  });
});

describe('nextSteps, with machines that are drained', () => {
  const desired: Desired = { revision: 3, count: 3, proven: true, deadline: 30_000 };
  const on = (machine: string, slot: number, state: Phase = healthy, generation = 1): ObservedReplica => ({
    ...replica(3, slot, state, generation),
    machine,
  });
  const leaving = (...replicas: ObservedReplica[]): Observed => ({
    ...observed(...replicas),
    leaving: ['old'],
  });

  test('a replica there serves until its slot is healthy elsewhere', () => {
    const only = { ...desired, count: 1 };
    const before = leaving(on('old', 0));
    expect(nextSteps(only, before, NOW)).toMatchObject({
      steps: [{ step: 'start-replica', slot: 0, generation: 2 }],
    });
    const moving = leaving(on('old', 0), on('new', 0, { phase: 'running', since: NOW }, 2));
    expect(stepsOf(only, moving)).toEqual(['check-replica']);
    const moved = leaving(on('old', 0), on('new', 0, healthy, 2));
    expect(nextSteps(only, moved, NOW)).toMatchObject({ steps: [{ step: 'stop-replica', generation: 1 }] });
  });

  test('one that is called off half-way keeps the replica that serves', () => {
    const half = observed(on('old', 0), on('new', 0, { phase: 'running', since: NOW }, 2));
    expect(nextSteps({ ...desired, count: 1 }, half, NOW)).toMatchObject({
      steps: [{ step: 'stop-replica', generation: 2 }],
    });
  });

  test('where nothing else has room, nothing is stopped and nothing fails', () => {
    const { failure, end } = simulate(desired, leaving(on('old', 0), on('old', 1), on('old', 2)), {
      ...plenty,
      room: 3,
    });
    expect(failure).toBeUndefined();
    expect(end.replicas.map(({ machine }) => machine)).toEqual(['old', 'old', 'old']);
  });

  test('at every moment each slot is served that was, and it comes to an end', () => {
    const states = fc.array(fc.constantFrom('old', 'new'), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(states, anyWorld, fc.nat({ max: 6 }), (machines, world, room) => {
        const start = leaving(...machines.map((machine, slot) => on(machine, slot)));
        const calm: World = { ...world, room, troubles: [] };
        const { rounds, end, finished } = simulate(desired, start, calm);
        expect(finished).toBe(true);
        for (const { after } of [...rounds, { after: end }]) {
          const served = after.replicas.filter(({ state }) => state.phase === 'healthy');
          expect(new Set(served.map(({ slot }) => slot)).size).toBe(3);
        }
        if (world.behaviour === 'healthy' && room >= 4)
          expect(end.replicas.filter(({ machine }) => machine === 'old')).toEqual([]);
      }),
    );
  });
});
