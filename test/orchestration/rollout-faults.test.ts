import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faults } from '../../shared/docker/faults.ts';
import { mend, sweepServices } from '../../shared/workloads/sweep.ts';
import { long } from '../support/sample.ts';
import { digestOf, hello, workloadWorld } from '../support/workload-world.ts';

const RUNS = { numRuns: long ? 1_000 : 50 };
const FEWER = { numRuns: long ? 1_000 : 20 };
const TIMEOUT = 900_000;
const [a, b] = [digestOf('a'), digestOf('b')];
type World = ReturnType<typeof workloadWorld>;

const policies: Record<string, unknown>[] = [
  {},
  { surge: 1 },
  { surge: 0, unavailable: 1 },
  { surge: '50%', bake: 20 },
  { strategy: 'blue-green' },
  { strategy: 'blue-green', bake: 90 },
  { strategy: 'canary', steps: [{ percent: 34, pause: 5 }], surge: 2 },
  {
    strategy: 'canary',
    steps: [
      { percent: 10, pause: 'until-resumed' },
      { percent: 60, pause: 120 },
    ],
  },
];

/** Throws at the calls whose numbers are given: storage that is gone, an engine that is, a process that ends. */
function faultsAt(numbers: readonly number[]) {
  const at = new Set(numbers);
  let count = 0;
  let on = false;
  return {
    begin: () => {
      on = true;
    },
    stop: () => {
      on = false;
    },
    fault: (where: string) => {
      if (!on) return;
      count += 1;
      if (!at.has(count)) return;
      throw where.includes('engine')
        ? faults.unreachable('m', new Error(`injected ${where}`))
        : new Error(`injected ${where}`);
    },
  };
}

/** Of all replicas as many as there may be; of every slot of a revision one; none of a name twice. */
async function expectBounds(world: World, limit: number) {
  const replicas = await world.replicas();
  expect(replicas.length).toBeLessThanOrEqual(limit);
  const slots = replicas.map(({ revision, slot }) => `${revision}.${slot}`);
  expect(new Set(slots).size).toBe(slots.length);
  const running = await world.running();
  expect(new Set(running).size).toBe(running.length);
}

/** What the app does with an event: an answer or orchestration that failed is tried again by a sweep. */
async function deliver(world: World, event: Parameters<World['send']>[0], limit?: number): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      for (const start of await world.send(event))
        await world.carryOut(start, limit === undefined ? undefined : () => expectBounds(world, limit));
      return;
    } catch (error) {
      if (error instanceof Error && error.name === 'AssertionError') throw error;
      // Refused for good: nobody sends it again.
      if (error instanceof Error && error.name === 'Terminal') return;
      world.live.clear();
    }
  }
  throw new Error('the event was never carried out');
}

/** Sweeps until nothing is found, and resumes what waits for somebody. */
async function settle(world: World): Promise<void> {
  for (let round = 0; round < 30; round += 1) {
    await world.pass(60_000);
    const findings = await sweepServices(world.ports, async (id) => world.live.has(id));
    for (const finding of findings) if (finding.finding !== 'repair') await mend(world.ports, finding);
    if (findings.some(({ finding }) => finding === 'repair')) await deliver(world, world.sweep());
    const { rollout } = (await world.service()) ?? {};
    if (rollout?.state === 'paused' && rollout.until === undefined)
      await deliver(world, world.command({ type: 'resume-rollout', application: 'hello', service: 'web' }));
    else if (findings.length === 0 && rollout?.state !== 'paused') return;
  }
  throw new Error('the sweep finds ever more');
}

async function expectExactly(world: World, image: string, count: number): Promise<void> {
  const replicas = await world.replicas();
  expect(replicas.map(({ status }) => status.state)).toEqual(Array.from({ length: count }, () => 'healthy'));
  const lists = await Promise.all([...world.engines.values()].map((engine) => engine.list([])));
  const containers = lists.flat();
  expect(containers).toHaveLength(count);
  expect(containers.every((container) => container.image.endsWith(image))).toBe(true);
  expect(new Set(containers.map(({ labels }) => labels['berth.slot'])).size).toBe(count);
  expect(await world.reservations()).toHaveLength(count);
}

const COUNT = 3;
const begun = async (policy: Record<string, unknown>, injected: ReturnType<typeof faultsAt>) => {
  const world = workloadWorld(injected.fault);
  await deliver(world, world.deploy(hello({ replicas: COUNT, rollout: policy })));
  await deliver(world, world.push('hello/web', '1', a));
  await world.pass(120_000);
  injected.begin();
  return world;
};
const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 6 });
const anyPolicy = fc.constantFrom(...policies);
const anyCommand = fc.constantFrom(
  'pause-rollout',
  'resume-rollout',
  'abort-rollout',
  'undo-rollout',
  'none',
);

describe('rollouts of every strategy, with faults at any call', () => {
  test(
    'a good revision ends with exactly the wanted replicas',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyPolicy, numbers, async (policy, at) => {
          const injected = faultsAt(at);
          const world = await begun(policy, injected);
          await deliver(world, world.push('hello/web', '1', b), 2 * COUNT);
          injected.stop();
          await settle(world);
          await expectExactly(world, b, COUNT);
          expect((await world.service())?.rollout.state).toBe('done');
        }),
        RUNS,
      );
    },
    TIMEOUT,
  );

  test(
    'a bad one ends with what served before',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyPolicy, numbers, async (policy, at) => {
          const injected = faultsAt(at);
          const world = await begun(policy, injected);
          world.deaf.add(b);
          await deliver(world, world.push('hello/web', '1', b), 2 * COUNT);
          injected.stop();
          await settle(world);
          await expectExactly(world, a, COUNT);
          expect((await world.service())?.rollout.state).toBe('failed');
        }),
        FEWER,
      );
    },
    TIMEOUT,
  );

  test(
    'whatever somebody tells it meanwhile, it ends with the one or the other',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          anyPolicy,
          numbers,
          fc.array(anyCommand, { maxLength: 4 }),
          fc.integer({ min: 1, max: 12 }),
          async (policy, at, commands, every) => {
            const injected = faultsAt(at);
            const world = await begun(policy, injected);
            const [start] = await world.send(world.push('hello/web', '1', b)).catch(() => []);
            const left = [...commands];
            let turns = 0;
            const going: Promise<void>[] = [];
            const meanwhile = () => {
              turns += 1;
              const type = turns % every === 0 ? left.shift() : undefined;
              if (type === undefined || type === 'none') return;
              const command = { type, application: 'hello', service: 'web' };
              going.push(deliver(world, world.command(command)));
            };
            if (start !== undefined) await world.carryOut(start, meanwhile).catch(() => world.live.clear());
            for (const one of going) await one;
            injected.stop();
            world.live.clear();
            await settle(world);
            const image = (await world.replicas())[0]?.revision === 1 ? a : b;
            await expectExactly(world, image, COUNT);
          },
        ),
        FEWER,
      );
    },
    TIMEOUT,
  );
});
