import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faults } from '../../shared/docker/faults.ts';
import { mend, sweepServices } from '../../shared/workloads/sweep.ts';
import { long } from '../support/sample.ts';
import { digestOf, hello, workloadWorld } from '../support/workload-world.ts';

const RUNS = long ? 1_000 : 50;
const TIMEOUT = 600_000;

/** Throws at the calls whose numbers are given: storage that is gone, an engine that is, a process that ends. */
function faultsAt(numbers: readonly number[]) {
  const at = new Set(numbers);
  let count = 0;
  let fired = 0;
  let on = true;
  return {
    fired: () => fired,
    stop: () => {
      on = false;
    },
    fault: (where: string) => {
      if (!on) return;
      count += 1;
      if (!at.has(count)) return;
      fired += 1;
      throw where.includes('engine')
        ? faults.unreachable('m', new Error(`injected ${where}`))
        : new Error(`injected ${where}`);
    },
  };
}

type World = ReturnType<typeof workloadWorld>;

/** What the app does with an event: an answer or orchestration that failed is tried again by a sweep. */
async function deliver(world: World, event: Parameters<World['send']>[0]): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      for (const start of await world.send(event)) await world.carryOut(start);
      return;
    } catch {
      world.live.clear();
    }
  }
  throw new Error('the event was never carried out');
}

async function sweep(world: World): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    await world.pass(60_000);
    const findings = await sweepServices(world.ports, async (id) => world.live.has(id));
    if (findings.length === 0) return;
    for (const finding of findings) if (finding.finding !== 'repair') await mend(world.ports, finding);
    if (findings.some(({ finding }) => finding === 'repair')) await deliver(world, world.sweep());
  }
}

async function expectExactly(world: World, image: string, count: number): Promise<void> {
  const engines = [...world.engines.values()];
  const containers = (await Promise.all(engines.map((engine) => engine.list([])))).flat();
  expect(containers.map(({ state }) => state.state)).toEqual(Array.from({ length: count }, () => 'running'));
  expect(containers.every((container) => container.image.endsWith(image))).toBe(true);
  expect(new Set(containers.map(({ labels }) => labels['berth.slot'])).size).toBe(count);
  const replicas = await world.replicas();
  expect(replicas.map(({ status }) => status.state)).toEqual(Array.from({ length: count }, () => 'healthy'));
  expect((await world.reservations()).length).toBe(count);
  expect(world.provisioned.length).toBeLessThanOrEqual(2);
}

const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 6 });

describe('faults at any call, before or after its effect', () => {
  test(
    'a deployment and an update end with exactly the wanted containers',
    async () => {
      let fired = 0;
      await fc.assert(
        fc.asyncProperty(numbers, async (at) => {
          const injected = faultsAt(at);
          const world = workloadWorld(injected.fault);
          await deliver(world, world.deploy(hello()));
          await deliver(world, world.push('hello/web', '1', digestOf('a')));
          await deliver(world, world.push('hello/web', '1', digestOf('b')));
          injected.stop();
          fired += injected.fired();
          await sweep(world);
          await expectExactly(world, digestOf('b'), 2);
        }),
        { numRuns: RUNS },
      );
      expect(fired).toBeGreaterThan(0);
    },
    TIMEOUT,
  );

  test(
    'scaling up and down too',
    async () => {
      await fc.assert(
        fc.asyncProperty(numbers, async (at) => {
          const injected = faultsAt(at.map((number) => number + 60));
          const world = workloadWorld(injected.fault);
          await deliver(world, world.deploy(hello()));
          await deliver(world, world.push('hello/web', '1', digestOf('a')));
          for (const replicas of [4, 1, 3])
            await deliver(
              world,
              world.command({ type: 'scale', application: 'hello', service: 'web', replicas }),
            );
          injected.stop();
          await sweep(world);
          await expectExactly(world, digestOf('a'), 3);
        }),
        { numRuns: RUNS, examples: [[[21, 51, 40, 5, 56, 4]]] },
      );
    },
    TIMEOUT,
  );
});

describe('rollouts of one service that overlap', () => {
  test(
    'end with what was asked for last, whatever the order of their steps',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 0, max: 3 })), async (pauses) => {
          const dawdle = async () => {
            for (let left = pauses.next().value; left > 0; left -= 1)
              await new Promise((resolve) => setImmediate(resolve));
          };
          const world = workloadWorld(dawdle);
          await deliver(world, world.deploy(hello()));
          const letters = ['a', 'b', 'c'];
          const going: Promise<void>[] = [];
          for (const letter of letters) {
            going.push(deliver(world, world.push('hello/web', '1', digestOf(letter))));
            for (let ticks = 0; ticks < 10; ticks += 1) await dawdle();
          }
          going.push(
            deliver(
              world,
              world.command({ type: 'scale', application: 'hello', service: 'web', replicas: 3 }),
            ),
          );
          await Promise.all(going);
          await sweep(world);
          await expectExactly(world, digestOf('c'), 3);
        }),
        { numRuns: RUNS / 2 },
      );
    },
    TIMEOUT,
  );
});
