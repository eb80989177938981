import { describe, expect, test } from 'vitest';
import { Machine } from '../../shared/model/machine.ts';
import { PoolSpec } from '../../shared/model/pool.ts';
import { ServiceKey, serviceId } from '../../shared/model/service.ts';
import { placeOf } from '../../shared/workloads/stores.ts';
import { mend, sweepServices } from '../../shared/workloads/sweep.ts';
import { digestOf, hello, web, workloadWorld } from '../support/workload-world.ts';

type World = ReturnType<typeof workloadWorld>;

/** A machine that is there before anything asks for it. */
async function machine(world: World, name: string, change: Partial<Machine> = {}): Promise<void> {
  const made = Machine.parse({
    name: `default-${name}`,
    pool: 'default',
    size: 'Standard_B2s',
    image: 'x',
    resources: { vm: 'x', nic: 'x', disk: 'x' },
    vmId: 'x',
    address: `10.30.0.${name.charCodeAt(0)}`,
    cpu: 2,
    memory: 4096,
    status: { state: 'ready', since: world.clock.now.toISOString() },
    owner: 'o',
    ...change,
  });
  await world.stores.machines.upsert(...placeOf.machine('default', made.name), made);
}

/** As the timer's sweep: what it finds is mended, and repairs are events. */
async function sweep(world: World): Promise<void> {
  await world.pass(60_000);
  const findings = await sweepServices(world.ports, async (id) => world.live.has(id));
  for (const finding of findings) {
    if (finding.finding !== 'repair') await mend(world.ports, finding);
    else if (serviceId(finding.service.key) === serviceId(web)) await world.happen(world.sweep());
  }
}

const places = async (world: World) =>
  (await world.replicas())
    .filter(({ status }) => status.state === 'healthy')
    .map(({ slot, machine: name }) => `${slot} ${name}`)
    .sort();

describe('one on each machine', () => {
  const follows = {
    mode: 'one-per-machine',
    replicas: undefined,
    port: undefined,
    ports: [{ machine: 9100 }],
  };
  const spec = hello(JSON.parse(JSON.stringify(follows)) && { ...follows, replicas: 1 });

  test('also on those that come later, never two, and a machine that goes takes its own with it', async () => {
    const world = workloadWorld();
    await machine(world, 'a');
    await machine(world, 'b');
    await world.send(world.push('hello/web', '1', digestOf('1')));
    await world.happen(world.deploy(spec));
    expect(await places(world)).toEqual(['0 default-a', '1 default-b']);
    expect(world.provisioned).toEqual([]);

    await machine(world, 'c');
    await sweep(world);
    expect(await places(world)).toEqual(['0 default-a', '1 default-b', '2 default-c']);

    const { value } = (await world.stores.machines.get(...placeOf.machine('default', 'default-a'))) ?? {};
    await world.stores.machines.delete(...placeOf.machine('default', value?.name ?? ''));
    await world.ports.capacity.removeMachine('default', 'default-a');
    await sweep(world);
    expect(await places(world)).toEqual(['1 default-b', '2 default-c']);

    await machine(world, 'd');
    await sweep(world);
    expect(await places(world)).toEqual(['0 default-d', '1 default-b', '2 default-c']);
    expect((await world.service())?.rollout.state).toBe('done');
  });

  test('a new revision takes the place of the old one on each, since both have the same port of the machine', async () => {
    const world = workloadWorld();
    for (const name of ['a', 'b', 'c']) await machine(world, name);
    await world.send(world.push('hello/web', '1', digestOf('1')));
    await world.happen(world.deploy(spec));
    await world.happen(world.push('hello/web', '1', digestOf('2')));
    expect((await places(world)).map((one) => one.split(' ')[1])).toEqual(
      ['default-a', 'default-b', 'default-c'].sort(),
    );
    const replicas = await world.replicas();
    expect(replicas.map(({ revision }) => revision)).toEqual([2, 2, 2]);
    expect(new Set(replicas.map((one) => one.machine)).size).toBe(3);
    expect(await world.reservations()).toHaveLength(3);
  });

  test('only where its constraints hold', async () => {
    const world = workloadWorld();
    await machine(world, 'a', { labels: { disk: 'ssd' } });
    await machine(world, 'b');
    await world.send(world.push('hello/web', '1', digestOf('1')));
    const placement = { constraints: ['label.disk == ssd'] };
    await world.happen(world.deploy(hello({ mode: 'one-per-machine', replicas: 1, placement })));
    expect(await places(world)).toEqual(['0 default-a']);
  });
});

describe('ports of the machine', () => {
  test('two of one port are on two machines, and the pool grows for them', async () => {
    const world = workloadWorld();
    await world.send(world.push('hello/web', '1', digestOf('1')));
    await world.happen(
      world.deploy(hello({ replicas: 3, port: undefined, ports: [{ machine: 80, container: 8080 }] })),
    );
    const replicas = await world.replicas();
    expect(new Set(replicas.map((one) => one.machine)).size).toBe(3);
    expect(world.provisioned).toHaveLength(3);
    await world.happen(world.push('hello/web', '1', digestOf('2')));
    expect(world.provisioned).toHaveLength(3);
    expect((await world.replicas()).map(({ revision }) => revision)).toEqual([2, 2, 2]);
  });
});

describe('scaling', () => {
  test('to more than the pool could ever hold is refused, and so is what follows the machines', async () => {
    const world = workloadWorld();
    await world.send(world.push('hello/web', '1', digestOf('1')));
    await world.happen(world.deploy(hello({ placement: { atMostPerMachine: 1 } })));
    const scale = (replicas: number) =>
      world.send(world.command({ type: 'scale', application: 'hello', service: 'web', replicas }));
    await expect(scale(4)).rejects.toMatchObject({ code: 'placement-impossible', status: 409 });
    expect((await world.service())?.spec.replicas).toBe(2);
    await world.happen(world.deploy(hello({ replicas: 1, mode: 'one-per-machine' })));
    await expect(scale(2)).rejects.toMatchObject({ code: 'not-scalable' });
  });
});

describe('scaling what has a port of the machine', () => {
  const ports = [{ machine: 9100 }];

  test('to more than the pool has machines for beside others with this port is refused, in whichever environment', async () => {
    const world = workloadWorld();
    await world.send(world.push('hello/web', '1', digestOf('1')));
    await world.happen(world.deploy(hello({ replicas: 1, port: undefined, ports })));
    const found = await world.service();
    if (found === undefined) throw new Error('no service');
    const key = ServiceKey.parse({ environment: 'prod', application: 'mon', service: 'node' });
    await world.stores.services.upsert(...placeOf.service(key), { ...found, key });
    const scale = (replicas: number) =>
      world.send(world.command({ type: 'scale', application: 'hello', service: 'web', replicas }));
    await expect(scale(3)).rejects.toMatchObject({
      code: 'placement-impossible',
      status: 409,
      message:
        'port 9100/tcp is claimed by hello/web, on 3 and prod.mon.node, on 1: it is once on a machine, and pool default has at most 3',
    });
    expect((await world.service())?.spec.replicas).toBe(1);
    await scale(2);
    expect((await world.service())?.spec.replicas).toBe(2);
    // Another application's deployment counts those of other environments too.
    await expect(world.send(world.deploy(hello({ replicas: 3, ports })))).rejects.toMatchObject({
      code: 'placement-impossible',
    });
  });
});

describe('constraints', () => {
  const placement = { constraints: ['label.disk == ssd'] };
  const ssd = { pools: { default: { labels: { disk: 'ssd' } } } };

  test('that the pool can never fulfil are refused, and nothing is changed', async () => {
    const world = workloadWorld();
    await world.send(world.push('hello/web', '1', digestOf('1')));
    await expect(world.send(world.deploy(hello({ placement })))).rejects.toMatchObject({
      code: 'placement-impossible',
    });
    expect(await world.service()).toBeUndefined();
  });

  test('a pool grows by machines that fulfil them', async () => {
    const world = workloadWorld();
    await world.send(world.push('hello/web', '1', digestOf('1')));
    await world.happen(world.deploy(hello({ placement }, ssd)));
    expect(world.provisioned).toHaveLength(1);
    expect((await world.service())?.rollout.state).toBe('done');
  });

  test('a pool gets no machine that would not do, and the rollout says why', async () => {
    const world = workloadWorld();
    await world.send(world.deploy(hello({ replicas: 1, placement }, ssd)));
    await world.stores.pools.upsert(...placeOf.pool('default'), PoolSpec.parse({}));
    await world.happen(world.push('hello/web', '1', digestOf('1')));
    expect(world.provisioned).toEqual([]);
    expect((await world.service())?.rollout).toMatchObject({
      state: 'failed',
      code: 'no-room',
      reason:
        'no machine has room for 0.1 cores and 64 MiB: there is none; a new machine of the pool would not be one with label.disk == ssd',
    });
  });

  test('at most one of a revision on a machine, while the next one comes beside it', async () => {
    const world = workloadWorld();
    await world.send(world.push('hello/web', '1', digestOf('1')));
    await world.happen(world.deploy(hello({ replicas: 3, placement: { atMostPerMachine: 1 } })));
    await world.happen(world.push('hello/web', '1', digestOf('2')));
    const replicas = await world.replicas();
    expect(replicas.map(({ revision }) => revision)).toEqual([2, 2, 2]);
    expect(new Set(replicas.map((one) => one.machine)).size).toBe(3);
    expect(world.provisioned).toHaveLength(3);
  });
});
