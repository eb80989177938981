import { describe, expect, test } from 'vitest';
import { placeOf } from '../../shared/workloads/stores.ts';
import { digestOf, hello, web, workloadWorld } from '../support/workload-world.ts';

const [a, b] = [digestOf('a'), digestOf('b')];

/** Two healthy replicas of the first image. */
async function deployed() {
  const world = workloadWorld();
  await world.send(world.deploy(hello()));
  const [made] = await world.happen(world.push('hello/web', '1', a));
  expect(made?.output).toEqual({ state: 'done' });
  return world;
}

describe('roll-out', () => {
  test('the first push has one machine made and two healthy replicas on it', async () => {
    const world = await deployed();
    expect(world.provisioned).toHaveLength(1);
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g1']);
    expect(await world.service()).toMatchObject({
      revision: 1,
      healthyRevision: 1,
      rollout: { state: 'done' },
    });
    expect((await world.service())?.owner).toBeUndefined();
    const replicas = await world.replicas();
    expect(replicas.map(({ status }) => status.state)).toEqual(['healthy', 'healthy']);
    expect(new Set(replicas.map(({ port }) => port)).size).toBe(2);
    const [engine] = world.engines.values();
    expect(engine?.control.created[0]).toMatchObject({
      image: `registry.example:5000/hello/web@${a}`,
      labels: {
        'berth.service': 'dev.hello.web',
        'berth.revision': '1',
        'berth.slot': '0',
        'berth.generation': '1',
      },
      publish: { container: 8080, address: '10.20.0.1' },
    });
  });

  test('on a warm machine the first activity is the one that creates the container', async () => {
    const world = await deployed();
    const [made] = await world.happen(world.push('hello/web', '1', b));
    expect(made?.asked[0]?.name).toBe('start-replica');
    expect(made?.asked.map(({ name }) => name)).toEqual([
      'start-replica',
      'start-replica',
      'check-replica',
      'check-replica',
      'stop-replica',
      'stop-replica',
      'observe-service',
      'record-rollout',
    ]);
    expect(await world.running()).toEqual(['dev.hello.web.r2.0.g2', 'dev.hello.web.r2.1.g2']);
    expect(await world.reservations()).toHaveLength(2);
    expect(world.provisioned).toHaveLength(1);
  });

  test('a container that exits at once fails the rollout; the old revision serves on', async () => {
    const world = await deployed();
    const [engine] = world.engines.values();
    engine?.control.behave(`registry.example:5000/hello/web@${b}`, {
      exitCode: 3,
      lines: ['no config', 'bye'],
    });
    const [made] = await world.happen(world.push('hello/web', '1', b));
    expect(made?.output).toMatchObject({
      state: 'failed',
      failure: { code: 'container-exited', exitCode: 3 },
    });
    expect(await world.service()).toMatchObject({
      revision: 2,
      healthyRevision: 1,
      rollout: { state: 'failed', exitCode: 3, lastLines: ['no config', 'bye'] },
    });
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g1']);
    expect(await world.reservations()).toHaveLength(2);
    expect(await world.send(world.push('hello/web', '1', a))).toHaveLength(1);
  });

  test('one that never becomes healthy fails after its deadline', async () => {
    const world = await deployed();
    world.deaf.add(b);
    const [made] = await world.happen(world.push('hello/web', '1', b));
    expect(made?.output).toMatchObject({ state: 'failed', failure: { code: 'health-check-failed' } });
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g1']);
  });

  test('an image that the registry refuses fails with the reference and the registry’s answer', async () => {
    const world = await deployed();
    const [engine] = world.engines.values();
    engine?.control.withhold(`registry.example:5000/hello/web@${b}`);
    const [made] = await world.happen(world.push('hello/web', '1', b));
    expect(made?.output).toMatchObject({ state: 'failed', failure: { code: 'image-not-found' } });
    expect((await world.service())?.rollout).toMatchObject({
      reason: expect.stringMatching(`registry.example:5000/hello/web@${b}: manifest unknown`),
    });
  });

  test('a machine that ARM refuses fails the rollout with the reason, and leaves no reservation', async () => {
    const world = workloadWorld();
    world.refuseMachines({ code: 'quota-exceeded', reason: 'no cores left in westeurope' });
    await world.send(world.deploy(hello()));
    const [made] = await world.happen(world.push('hello/web', '1', a));
    expect(made?.output).toMatchObject({ state: 'failed', failure: { code: 'quota-exceeded' } });
    expect(await world.reservations()).toEqual([]);
    expect(await world.replicas()).toEqual([]);
  });

  test('ten that need room at once have one machine made', async () => {
    const world = workloadWorld();
    const names = Array.from({ length: 10 }, (_, index) => `s${index}`);
    await world.send(
      world.deploy({
        name: 'hello',
        services: Object.fromEntries(names.map((name) => [name, { image: 'hello/web:1', port: 80 }])),
      }),
    );
    const made = await world.happen(world.push('hello/web', '1', a));
    expect(made.map(({ output }) => output)).toEqual(names.map(() => ({ state: 'done' })));
    expect(world.provisioned).toHaveLength(1);
    expect(await world.running()).toHaveLength(10);
  });

  test('a container of the same name from before lost records gives way', async () => {
    const world = await deployed();
    const [engine] = world.engines.values();
    const [first] = engine!.control.created;
    await engine!.pull(`registry.example:5000/hello/web@${b}`, 'token');
    const name = 'dev.hello.web.r2.0.g2';
    await engine!.create({ ...first!, name, labels: { ...first!.labels, 'berth.port': '29999' } });
    const [made] = await world.happen(world.push('hello/web', '1', b));
    expect(made?.output).toEqual({ state: 'done' });
    expect((await engine!.inspect(name))?.image).toMatch(b);
  });

  test('a rollout that was overtaken does nothing any more', async () => {
    const world = await deployed();
    const [older] = await world.send(world.push('hello/web', '1', b));
    await world.happen(world.push('hello/web', '1', a));
    const made = await world.carryOut(older!);
    expect(made.output).toEqual({ state: 'superseded' });
    expect(await world.running()).toEqual(['dev.hello.web.r3.0.g3', 'dev.hello.web.r3.1.g3']);
    expect(await world.reservations()).toHaveLength(2);
  });

  test('scaling keeps the containers that run', async () => {
    const world = await deployed();
    const scale = (replicas: number) =>
      world.happen(world.command({ type: 'scale', application: 'hello', service: 'web', replicas }));
    await scale(3);
    const [zero, one, two] = ['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g1', 'dev.hello.web.r1.2.g2'];
    expect(await world.running()).toEqual([zero, one, two]);
    await scale(2);
    await scale(3);
    // A slot that was emptied and filled again never gives a generation out twice.
    expect(await world.running()).toEqual([zero, one, 'dev.hello.web.r1.2.g4']);
    await scale(1);
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g1']);
    expect(await world.reservations()).toHaveLength(1);
  });

  test('what an application no longer names goes, with its records', async () => {
    const world = await deployed();
    await world.happen(world.deploy({ name: 'hello' }));
    expect(await world.running()).toEqual([]);
    expect(await world.service()).toBeUndefined();
    expect(await world.reservations()).toEqual([]);
  });
});

describe('repair', () => {
  test('a replica that was killed is made anew', async () => {
    const world = await deployed();
    await world.pass(120_000);
    const [engine] = world.engines.values();
    engine?.control.exit('dev.hello.web.r1.0.g1', 137);
    const [replica] = await world.replicas();
    const [made] = await world.happen(
      world.event('dev.berth.replica.died', `machines/${replica?.machine}`, {
        key: web,
        container: replica?.containerId,
        exitCode: 137,
      }),
    );
    expect(made?.output).toEqual({ state: 'done' });
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g2', 'dev.hello.web.r1.1.g1']);
    expect(await world.replicas()).toHaveLength(2);
  });

  test('the replicas of a machine that fell silent start elsewhere', async () => {
    const world = await deployed();
    await world.pass(120_000);
    const [silent] = world.engines.values();
    silent?.control.reachable(false);
    await world.stores.machines.update(
      'default',
      world.provisioned[0] ?? '',
      (machine) =>
        machine && { ...machine, status: { state: 'silent', since: world.clock.now.toISOString() } },
    );
    const [made] = await world.happen(world.sweep());
    expect(made?.output).toEqual({ state: 'done' });
    expect(world.provisioned).toHaveLength(2);
    expect((await world.replicas()).map(({ machine }) => machine)).toEqual([
      world.provisioned[1],
      world.provisioned[1],
    ]);
  });

  test('the replicas of a machine that is drained start elsewhere, are healthy there, and only then end', async () => {
    const world = await deployed();
    await world.pass(120_000);
    const [first = ''] = world.provisioned;
    const since = world.clock.now.toISOString();
    await world.stores.machines.update(
      'default',
      first,
      (machine) => machine && { ...machine, cordon: { since, by: 'user', reason: 'test', drain: true } },
    );
    const [start] = await world.send(world.sweep());
    if (start === undefined) throw new Error('nothing was started');
    const healthy: number[] = [];
    const made = await world.carryOut(start, async () => {
      const serving = (await world.replicas()).filter(({ status }) => status.state === 'healthy');
      healthy.push(serving.length);
    });
    expect(made.output).toEqual({ state: 'done' });
    expect(Math.min(...healthy)).toBe(2);
    expect(world.provisioned).toHaveLength(2);
    expect((await world.replicas()).map(({ machine }) => machine)).toEqual([
      world.provisioned[1],
      world.provisioned[1],
    ]);
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g2', 'dev.hello.web.r1.1.g2']);
    expect(await world.reservations()).toHaveLength(2);
  });

  test('where there is no other room, the replicas of a machine that is drained serve on', async () => {
    const world = workloadWorld();
    await world.send(world.deploy(hello({}, { pools: { default: { maximum: 1 } } })));
    await world.happen(world.push('hello/web', '1', a));
    await world.pass(120_000);
    const since = world.clock.now.toISOString();
    await world.stores.machines.update(
      'default',
      world.provisioned[0] ?? '',
      (machine) => machine && { ...machine, cordon: { since, by: 'user', reason: 'test', drain: true } },
    );
    const [made] = await world.happen(world.sweep());
    expect(made?.output).toEqual({ state: 'done' });
    expect((await world.service())?.rollout).toMatchObject({ state: 'done' });
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g1']);
    expect((await world.replicas()).map(({ status }) => status.state)).toEqual(['healthy', 'healthy']);
  });

  test('one that ends again and again is given up to the sweep, with its last lines', async () => {
    const world = await deployed();
    const [engine] = world.engines.values();
    engine?.control.behave('registry.example:5000/', { exitCode: 1, lines: ['out of luck'] });
    engine?.control.exit('dev.hello.web.r1.0.g1', 1);
    const [made] = await world.happen(world.sweep());
    expect(made?.output).toMatchObject({
      state: 'failed',
      failure: { code: 'container-exited', exitCode: 1 },
    });
    expect((await world.service())?.rollout).toMatchObject({ state: 'failed', lastLines: ['out of luck'] });
    expect(await world.running()).toEqual(['dev.hello.web.r1.1.g1']);
  });

  test('a failed rollout that had made room brings the old replicas back', async () => {
    const world = workloadWorld();
    const big = hello({ resources: { cpu: 0.9, memory: 64 } }, { pools: { default: { maximum: 1 } } });
    await world.send(world.deploy(big));
    await world.happen(world.push('hello/web', '1', a));
    await world.stores.replicas.list({});
    const [engine] = world.engines.values();
    engine?.control.behave(`registry.example:5000/hello/web@${b}`, { exitCode: 1 });
    const [made] = await world.happen(world.push('hello/web', '1', b));
    expect(made?.output).toMatchObject({ state: 'failed' });
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g1']);
    expect((await world.stores.services.get(...placeOf.service(web)))?.value.owner).toBeUndefined();
  });
});
