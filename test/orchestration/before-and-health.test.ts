import { describe, expect, test } from 'vitest';
import { ServiceKey } from '../../shared/model/service.ts';
import { fenceMachine } from '../../shared/workloads/fence-machine.ts';
import { all, placeOf } from '../../shared/workloads/stores.ts';
import { digestOf, hello, web, workloadWorld } from '../support/workload-world.ts';

const [a, b] = [digestOf('a'), digestOf('b')];
type World = ReturnType<typeof workloadWorld>;
const runs = (world: World) => all(world.stores.runs.list({}));
const migrated = { before: { command: ['/bin/migrate'], timeout: 60 }, environment: { DB: 'x' } };

/** The engine of the only machine, made by a first deployment without a step. */
async function deployed(spec: Record<string, unknown>) {
  const world = workloadWorld();
  await world.send(world.deploy(hello()));
  await world.happen(world.push('hello/web', '1', a));
  await world.pass(120_000);
  const [engine] = world.engines.values();
  if (engine === undefined) throw new Error('no engine');
  await world.happen(world.deploy(hello(spec)));
  return { world, engine };
}

describe('the step before a rollout', () => {
  test('runs once with the new revision’s image and environment, and then the replicas start', async () => {
    const world = workloadWorld();
    await world.send(world.deploy(hello(migrated)));
    const image = `registry.example:5000/hello/web@${a}`;
    const [start] = await world.send(world.push('hello/web', '1', a));
    const made = await world.carryOut(start!);
    expect(made.output).toEqual({ state: 'done' });
    const created = [...world.engines.values()].flatMap(({ control }) => control.created);
    expect(created.map(({ command }) => command)).toEqual([['/bin/migrate'], undefined, undefined]);
    expect(created[0]).toMatchObject({
      image,
      environment: { DB: 'x' },
      labels: { 'berth.job': 'dev.hello.web' },
    });
    expect((await runs(world)).map(({ status }) => status.state)).toEqual(['succeeded']);
    expect(await world.reservations()).toHaveLength(2);
  });

  test('that fails fails the rollout with its exit code and last lines, and changes nothing else', async () => {
    const { world } = await deployed({});
    const before = await world.running();
    Object.assign(world.runsEnd, { exitCode: 3, lines: ['no such table'] });
    const [made] = await world.happen(world.deploy(hello(migrated)));
    const failure = { code: 'before-failed', exitCode: 3, lastLines: ['no such table'] };
    expect(made?.output).toMatchObject({ state: 'failed', failure });
    expect(await world.service()).toMatchObject({
      healthyRevision: 1,
      rollout: { state: 'failed', ...failure },
    });
    expect(await world.running()).toEqual(before);
    expect((await runs(world)).map(({ status }) => status.state)).toEqual(['failed']);
  });

  test('is run once, though the rollout that had it run is gone', async () => {
    const world = workloadWorld();
    await world.send(world.deploy(hello(migrated)));
    const [start] = await world.send(world.push('hello/web', '1', a));
    const crash = world.carryOut(start!, () => {
      throw new Error('the app ended');
    });
    await expect(crash).rejects.toThrow('the app ended');
    world.live.clear();
    await world.pass(60_000);
    const [made] = await world.happen(world.sweep());
    expect(made?.output).toEqual({ state: 'done' });
    const created = [...world.engines.values()].flatMap(({ control }) => control.created);
    expect(created.filter(({ labels }) => labels['berth.run'] !== undefined)).toHaveLength(1);
    expect(await runs(world)).toHaveLength(1);
  });
});

describe('services that others depend on', () => {
  const two = {
    name: 'hello',
    services: {
      web: { image: 'hello/web:1', port: 8080, dependsOn: ['db'] },
      db: { image: 'hello/db:1', port: 5432 },
    },
  };

  test('are waited for, and what is waited for is said', async () => {
    const world = workloadWorld();
    await world.send(world.deploy(two));
    const [start] = await world.send(world.push('hello/web', '1', a));
    let said: unknown;
    let came = false;
    const made = await world.carryOut(start!, async () => {
      said ??= (await world.service())?.rollout;
      if (came) return;
      came = true;
      await world.happen(world.push('hello/db', '1', b));
    });
    expect(said).toEqual({
      state: 'rolling',
      waits: 'it waits for services that it depends on: db is waiting-for-image',
    });
    expect(made.output).toEqual({ state: 'done' });
    expect(await world.running()).toEqual(['dev.hello.db.r1.0.g1', 'dev.hello.web.r1.0.g1']);
  });

  test('are not waited for for ever', async () => {
    const world = workloadWorld();
    await world.send(world.deploy(two));
    const [made] = await world.happen(world.push('hello/web', '1', a));
    expect(made?.output).toMatchObject({ state: 'failed', failure: { code: 'dependency-not-healthy' } });
    expect(await world.running()).toEqual([]);
  });
});

describe('a replica that stops answering', () => {
  const unhealthy = async (world: World, dead: boolean, reason = 'GET /up answered 503') => {
    const [replica] = await world.replicas();
    return world.event('dev.berth.replica.unhealthy', `machines/${replica?.machine}`, {
      key: web,
      container: replica?.containerId,
      reason,
      dead,
    });
  };

  test('is taken out at once, and comes back if it answers again', async () => {
    const { world } = await deployed({});
    const [start] = await world.send(await unhealthy(world, false));
    expect((await world.replicas()).map(({ status }) => status.state)).toEqual(['unhealthy', 'healthy']);
    const before = await world.running();
    expect((await world.carryOut(start!)).output).toEqual({ state: 'done' });
    expect((await world.replicas()).map(({ status }) => status.state)).toEqual(['healthy', 'healthy']);
    expect(await world.running()).toEqual(before);
  });

  test('is made anew if it does not', async () => {
    const { world } = await deployed({});
    world.deaf.add(a);
    const [start] = await world.send(await unhealthy(world, false));
    await world.carryOut(start!, () => {
      if (world.clock.now.getTime() > Date.parse('2026-11-25T12:03:30Z')) world.deaf.clear();
    });
    expect(await world.running()).toEqual([expect.stringMatching(/r1\.0\.g[3-9]$/), 'dev.hello.web.r1.1.g1']);
    expect((await world.replicas())[0]?.failures).toBeGreaterThan(0);
  });

  test('is made anew at once if its liveness check says so, with longer pauses each time', async () => {
    const { world } = await deployed({});
    const began = world.clock.now.getTime();
    await world.happen(await unhealthy(world, true));
    expect(world.clock.now.getTime() - began).toBeLessThan(5_000);
    expect((await world.running())[0]).toMatch(/\.0\.g[2-9]$/);
    expect((await world.replicas()).map(({ status }) => status.state)).toEqual(['healthy', 'healthy']);
  });

  test('one that is nobody’s any more changes nothing', async () => {
    const { world } = await deployed({});
    const event = await unhealthy(world, true);
    await world.happen(world.command({ type: 'restart', application: 'hello', service: 'web' }));
    expect(await world.send(event)).toEqual([]);
    const key = ServiceKey.parse({ ...web, service: 'gone' });
    expect(await world.stores.services.get(...placeOf.service(key))).toBeUndefined();
  });
});

describe('a command that says whether a replica is healthy', () => {
  test('is the engine’s own health check, and its answer counts', async () => {
    const { world, engine } = await deployed({ health: { command: ['/bin/check'], deadline: 20 } });
    expect(engine.control.created.at(-1)?.health).toMatchObject({
      command: ['/bin/check'],
      startInterval: 1,
    });
    expect((await world.service())?.rollout).toMatchObject({ state: 'done' });
    const [start] = await world.send(world.push('hello/web', '1', b));
    const made = await world.carryOut(start!, async () => {
      for (const { name, image } of await engine.list([]))
        if (image.endsWith(b)) engine.control.health(name, 'unhealthy');
    });
    expect(made.output).toMatchObject({ state: 'failed' });
    expect((await world.service())?.rollout).toMatchObject({
      code: 'health-check-failed',
      reason: expect.stringContaining('its health command failed: exit code 1: simulated'),
    });
  });
});

describe('a machine that was silent and comes back', () => {
  test('ends at once what it still runs of slots that others have, and nothing else', async () => {
    const { world, engine } = await deployed({});
    const [first = ''] = world.provisioned;
    engine.control.reachable(false);
    const silent = { state: 'silent', since: world.clock.now.toISOString() } as const;
    await world.stores.machines.update(
      'default',
      first,
      (machine) => machine && { ...machine, status: silent },
    );
    await world.happen(world.sweep());
    engine.control.reachable(true);
    expect(await world.running()).toHaveLength(4);
    const reported = async () =>
      (await engine.list([])).map(({ id, name, labels, state }) => ({
        id,
        name,
        labels,
        state: state.state === 'running' ? ('running' as const) : ('exited' as const),
      }));
    const removed = await fenceMachine(world.ports, { name: first, address: 'x' }, await reported());
    expect(removed).toHaveLength(2);
    expect(await world.running()).toHaveLength(2);
    const [, second] = world.engines.values();
    const others = (await second!.list([])).map((one) => ({ ...one, state: 'running' as const }));
    const there = { name: world.provisioned[1] ?? '', address: 'x' };
    expect(await fenceMachine(world.ports, there, others)).toEqual([]);
  });
});
