import { describe, expect, test } from 'vitest';
import { all } from '../../shared/workloads/stores.ts';
import { mend, sweepServices } from '../../shared/workloads/sweep.ts';
import { digestOf, hello, workloadWorld } from '../support/workload-world.ts';

const [a, b] = [digestOf('a'), digestOf('b')];
const name = { application: 'hello', service: 'web' };
type World = ReturnType<typeof workloadWorld>;

/** Four healthy replicas of the first image, and a policy for what follows. */
async function deployed(rollout: Record<string, unknown>, spec: Record<string, unknown> = {}) {
  const world = workloadWorld();
  await world.send(world.deploy(hello({ replicas: 4, rollout, ...spec })));
  await world.happen(world.push('hello/web', '1', a));
  await world.pass(120_000);
  return world;
}

const update = async (world: World) => (await world.happen(world.push('hello/web', '1', b)))[0]?.output;
const tell = (world: World, type: string, more: Record<string, unknown> = {}) =>
  world.happen(world.command({ type, ...name, ...more }));
const states = async (world: World) =>
  (await world.replicas()).map(({ revision, status }) => `r${revision} ${status.state}`).sort();

/** What the app's sweep does. */
async function sweep(world: World) {
  const findings = await sweepServices(world.ports, async (id) => world.live.has(id));
  for (const finding of findings) if (finding.finding !== 'repair') await mend(world.ports, finding);
  if (findings.some(({ finding }) => finding === 'repair')) await world.happen(world.sweep());
  return findings.map(({ reason }) => reason);
}

describe('rolling', () => {
  test('one at a time: never more than one above, never one below', async () => {
    const world = await deployed({ surge: 1 });
    const [start] = await world.send(world.push('hello/web', '1', b));
    const seen: [number, number][] = [];
    const made = await world.carryOut(start!, async () => {
      const replicas = await world.replicas();
      seen.push([replicas.length, replicas.filter(({ status }) => status.state === 'healthy').length]);
    });
    expect(made.output).toEqual({ state: 'done' });
    expect(Math.max(...seen.map(([live]) => live))).toBe(5);
    expect(Math.min(...seen.map(([, healthy]) => healthy))).toBe(4);
    expect(await states(world)).toEqual(Array(4).fill('r2 healthy'));
  });

  test('a failure in the middle goes back, and what served is whole again', async () => {
    const world = await deployed({ surge: 1 });
    world.deaf.add(b);
    expect(await update(world)).toMatchObject({ state: 'failed', failure: { code: 'health-check-failed' } });
    expect(await states(world)).toEqual(Array(4).fill('r1 healthy'));
    expect((await world.service())?.rollout).toMatchObject({ state: 'failed' });
  });

  test('one that stops on failure stands still until it is aborted', async () => {
    const world = await deployed({ surge: 1, onFailure: 'stop' });
    world.deaf.add(b);
    await update(world);
    expect((await world.service())?.rollout).toMatchObject({ state: 'failed', stopped: true });
    const before = await states(world);
    expect(before).toHaveLength(5);
    await world.pass(60_000);
    await sweep(world);
    expect(await states(world)).toEqual(before);
    await tell(world, 'abort-rollout');
    expect(await states(world)).toEqual(Array(4).fill('r1 healthy'));
    expect((await world.service())?.rollout).toMatchObject({ state: 'failed', code: 'aborted' });
  });
});

describe('a rollout that overtakes a scale-up', () => {
  const oneByOne = { surge: 0, unavailable: 1 };
  const isHealthy = ({ status }: { status: { state: string } }) => status.state === 'healthy';

  /** One replica of four is the last revision that was done; the others are healthy, and their rollout is under way. */
  async function overtaken(healthy: number, rollout: Record<string, unknown> = oneByOne) {
    const world = await deployed(rollout, { replicas: 1 });
    const [scale] = await world.send(world.command({ type: 'scale', ...name, replicas: 4 }));
    let restart: Awaited<ReturnType<World['send']>>[number] | undefined;
    const made = await world.carryOut(scale!, async () => {
      if (restart !== undefined || (await world.replicas()).filter(isHealthy).length < healthy) return;
      [restart] = await world.send(world.command({ type: 'restart', ...name }));
    });
    expect(made.output).toEqual({ state: 'superseded' });
    return { world, restart: restart! };
  }

  test('leaves as many healthy as its policy says, of those that were when it came', async () => {
    const { world, restart } = await overtaken(4);
    const healthy: number[] = [];
    const made = await world.carryOut(restart, async () => {
      healthy.push((await world.replicas()).filter(isHealthy).length);
    });
    expect(made.output).toEqual({ state: 'done' });
    expect(Math.min(...healthy)).toBe(3);
    expect(await states(world)).toEqual(Array(4).fill('r3 healthy'));
  });

  test('still does when it is overtaken itself', async () => {
    const { world, restart } = await overtaken(4);
    const healthy: number[] = [];
    let again: typeof restart | undefined;
    const count = async () => {
      healthy.push((await world.replicas()).filter(isHealthy).length);
    };
    await world.carryOut(restart, async () => {
      await count();
      if (again === undefined && healthy.at(-1) === 3)
        [again] = await world.send(world.command({ type: 'restart', ...name }));
    });
    expect((await world.carryOut(again!, count)).output).toEqual({ state: 'done' });
    expect(Math.min(...healthy)).toBe(3);
    expect(await states(world)).toEqual(Array(4).fill('r4 healthy'));
  });

  test('stays where it is in its steps when its own number changes', async () => {
    const steps = [
      { percent: 25, pause: 'until-resumed' },
      { percent: 50, pause: 'until-resumed' },
    ];
    const { world, restart } = await overtaken(4, { strategy: 'canary', steps });
    expect((await world.carryOut(restart)).output).toMatchObject({ state: 'paused' });
    const [resumed] = await tell(world, 'resume-rollout');
    expect(resumed?.output).toMatchObject({ state: 'paused' });
    expect((await world.service())?.progress).toMatchObject({ revision: 3, stage: 1, served: 4 });
    await world.send(world.command({ type: 'scale', ...name, replicas: 6 }));
    expect((await world.service())?.progress).toMatchObject({ revision: 4, stage: 1, served: 4 });
  });

  test('goes back to all that were wanted when it fails', async () => {
    const { world } = await overtaken(4, { surge: 1 });
    world.deaf.add(b);
    expect(await update(world)).toMatchObject({ state: 'failed' });
    expect(await states(world)).toEqual(Array(4).fill('r1 healthy'));
  });

  test('does not wait for those that never were', async () => {
    const { world, restart } = await overtaken(1);
    expect((await world.carryOut(restart)).output).toEqual({ state: 'done' });
    expect(await states(world)).toEqual(Array(4).fill('r3 healthy'));
  });
});

describe('blue-green', () => {
  test('bakes beside the old ones, and then they go', async () => {
    const world = await deployed({ strategy: 'blue-green', bake: 300 });
    expect(await update(world)).toMatchObject({ state: 'paused' });
    expect(await states(world)).toEqual([...Array(4).fill('r1 standby'), ...Array(4).fill('r2 healthy')]);
    expect((await world.service())?.rollout).toMatchObject({ state: 'paused', why: 'bake' });
    await world.pass(60_000);
    expect(await sweep(world)).toEqual([]);
    await world.pass(300_000);
    expect(await sweep(world)).toEqual(['its pause is over: revision 2 serves, and bakes for 300 s']);
    expect(await states(world)).toEqual(Array(4).fill('r2 healthy'));
    expect(await world.service()).toMatchObject({ healthyRevision: 2, rollout: { state: 'done' } });
  });

  test('a death while it bakes goes back at once', async () => {
    const world = await deployed({ strategy: 'blue-green', bake: 300 });
    await update(world);
    const dead = (await world.running()).find((container) => container.includes('.r2.0.'));
    const [engine] = world.engines.values();
    engine?.control.exit(dead ?? '', 1);
    await world.pass(20_000);
    await sweep(world);
    expect(await states(world)).toEqual(Array(4).fill('r1 healthy'));
    expect(await world.service()).toMatchObject({
      healthyRevision: 1,
      rollout: { state: 'failed', code: 'container-exited', exitCode: 1 },
    });
  });
});

describe('canary', () => {
  const policy = {
    strategy: 'canary',
    steps: [
      { percent: 25, pause: 'until-resumed' },
      { percent: 50, pause: 30 },
    ],
  };

  test('waits at its step until it is resumed, and then goes through', async () => {
    const world = await deployed(policy);
    expect(await update(world)).toMatchObject({ state: 'paused' });
    expect(await states(world)).toEqual([...Array(3).fill('r1 healthy'), 'r1 standby', 'r2 healthy']);
    await world.pass(600_000);
    expect(await sweep(world)).toEqual([]);
    const [made] = await tell(world, 'resume-rollout');
    expect(made?.output).toEqual({ state: 'done' });
    expect(await states(world)).toEqual(Array(4).fill('r2 healthy'));
  });

  test('one that fails goes back', async () => {
    const world = await deployed(policy);
    world.deaf.add(b);
    expect(await update(world)).toMatchObject({ state: 'failed' });
    expect(await states(world)).toEqual(Array(4).fill('r1 healthy'));
  });

  test('an old replica that is lost while it waits is made anew', async () => {
    const world = await deployed(policy);
    await update(world);
    const [engine] = world.engines.values();
    for (const container of (await world.running()).filter((one) => one.includes('.r1.')).slice(0, 2))
      engine?.control.exit(container, 1);
    await world.pass(60_000);
    await sweep(world);
    const serving = (await states(world)).filter((state) => state.endsWith('healthy'));
    expect(serving.length).toBe(4);
    expect((await world.service())?.rollout).toMatchObject({ state: 'paused', why: 'step' });
  });
});

describe('somebody steers', () => {
  test('a pause in the middle holds over sweeps, and resuming brings it to its end', async () => {
    const world = await deployed({ surge: 1 });
    const [start] = await world.send(world.push('hello/web', '1', b));
    let paused = false;
    const made = await world.carryOut(start!, async () => {
      const fresh = (await world.replicas()).filter(({ revision }) => revision === 2);
      if (paused || fresh.length < 2) return;
      paused = true;
      await tell(world, 'pause-rollout');
    });
    expect(made.output).toEqual({ state: 'superseded' });
    const before = await world.running();
    await world.pass(120_000);
    await sweep(world);
    expect(await world.running()).toEqual(before);
    expect((await world.service())?.rollout).toMatchObject({ state: 'paused', why: 'asked' });
    const [resumed] = await tell(world, 'resume-rollout');
    expect(resumed?.output).toEqual({ state: 'done' });
    expect(await states(world)).toEqual(Array(4).fill('r2 healthy'));
  });

  test('while it is paused, what dies is made anew, of either revision', async () => {
    const world = await deployed({ surge: 1 });
    const [start] = await world.send(world.push('hello/web', '1', b));
    let paused = false;
    await world.carryOut(start!, async () => {
      const fresh = (await world.replicas()).filter(({ revision }) => revision === 2);
      if (paused || fresh.length < 2) return;
      paused = true;
      await tell(world, 'pause-rollout');
    });
    const count = (await world.running()).length;
    const [engine] = world.engines.values();
    for (const container of await world.running()) engine?.control.exit(container, 137);
    await world.pass(60_000);
    await sweep(world);
    await world.pass(60_000);
    await sweep(world);
    expect(await world.running()).toHaveLength(Math.min(count, 4));
    expect((await world.service())?.rollout).toMatchObject({ state: 'paused', why: 'asked' });
  });

  test('aborting goes back', async () => {
    const world = await deployed({ strategy: 'canary', steps: [{ percent: 50, pause: 'until-resumed' }] });
    await update(world);
    const [made] = await tell(world, 'abort-rollout');
    expect(made?.output).toMatchObject({ state: 'failed', failure: { code: 'aborted' } });
    expect(await states(world)).toEqual(Array(4).fill('r1 healthy'));
  });

  test('undoing goes to the revision before, with as many replicas as there are wanted now', async () => {
    const world = await deployed({ surge: 1 });
    await update(world);
    await tell(world, 'scale', { replicas: 3 });
    const [made] = await tell(world, 'undo-rollout');
    expect(made?.output).toEqual({ state: 'done' });
    expect((await world.service())?.accepted).toMatchObject({ digest: a, template: 1, number: 4 });
    expect(await states(world)).toEqual(Array(3).fill('r1 healthy'));
    const ends = (await all(world.stores.revisions.list({}))).map(({ ended }) => ended?.state);
    expect(ends).toEqual(['done', 'done', 'done', 'done']);
  });

  test('what cannot be done is refused, and changes nothing', async () => {
    const world = await deployed({});
    const before = await world.service();
    const refused = (type: string, more?: Record<string, unknown>) =>
      tell(world, type, more).catch(
        ({ code, status }: { code: string; status: number }) => `${status} ${code}`,
      );
    expect(await refused('pause-rollout')).toBe('409 no-rollout');
    expect(await refused('resume-rollout')).toBe('409 not-paused');
    expect(await refused('abort-rollout')).toBe('409 no-rollout');
    expect(await refused('undo-rollout')).toBe('409 no-earlier-revision');
    expect(await refused('undo-rollout', { revision: 7 })).toBe('404 revision-unknown');
    expect(await refused('undo-rollout', { revision: 1 })).toBe('409 revision-serves');
    expect(await refused('pause-rollout', { service: 'wbe' })).toBe('404 service-unknown');
    expect(await world.service()).toEqual(before);
  });

  test('a service is removed though it is paused', async () => {
    const world = await deployed({ strategy: 'canary', steps: [{ percent: 50, pause: 'until-resumed' }] });
    await update(world);
    await tell(world, 'pause-rollout');
    await world.happen(world.deploy({ name: 'hello' }));
    expect(await world.running()).toEqual([]);
    expect(await world.service()).toBeUndefined();
  });

  test('scaling while it is paused waits until it is resumed', async () => {
    const world = await deployed({ strategy: 'canary', steps: [{ percent: 50, pause: 'until-resumed' }] });
    await update(world);
    await tell(world, 'pause-rollout');
    await tell(world, 'scale', { replicas: 6 });
    expect((await world.service())?.rollout).toMatchObject({ state: 'paused', why: 'asked' });
    expect(await states(world)).toHaveLength(6);
    await tell(world, 'resume-rollout');
    const [made] = await tell(world, 'resume-rollout');
    expect(made?.output).toEqual({ state: 'done' });
    expect(await states(world)).toEqual(Array(6).fill('r2 healthy'));
  });
});
