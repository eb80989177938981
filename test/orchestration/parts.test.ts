import { describe, expect, it } from 'vitest';
import { RESERVATIONS_RANGE } from '../../shared/scheduling/rows.ts';
import { all, placeOf } from '../../shared/workloads/stores.ts';
import { mend, sweepServices } from '../../shared/workloads/sweep.ts';
import { digestOf, hello, web, workloadWorld } from '../support/workload-world.ts';

const data = { volumes: ['data:/var/lib/data'] };
const withData = (spec: object = {}, more: object = {}) =>
  hello({ ...data, ...spec }, { volumes: { data: {} }, ...more });

type World = ReturnType<typeof workloadWorld>;

async function deployed(application: unknown, letter = 'a') {
  const world = workloadWorld();
  world.push('hello/web', '1', digestOf(letter));
  world.push('hello/log', '1', digestOf('c'));
  await world.happen(world.deploy(application));
  return world;
}

/** Names of the containers in the order in which engines made them, and where. */
const created = ({ engines }: World) =>
  [...engines].flatMap(([machine, engine]) =>
    engine.control.created.map(({ name, mounts }) => ({ machine, name, mounts: mounts ?? [] })),
  );
const machineOf = async (world: World, slot: number) =>
  (await world.replicas()).find((replica) => replica.slot === slot)?.machine;

describe('a service with a volume', () => {
  it('has one for each slot, and keeps it over an update, of which no slot has two containers at once', async () => {
    const world = await deployed(withData());
    const homes = [await machineOf(world, 0), await machineOf(world, 1)];
    expect(await all(world.stores.volumes.list({}))).toMatchObject([
      { key: { volume: 'data', slot: 0 }, machine: homes[0], made: true },
      { key: { volume: 'data', slot: 1 }, machine: homes[1], made: true },
    ]);
    let most = 0;
    const [start] = await world.send(world.deploy(withData({ environment: { A: 'b' } })));
    await world.carryOut(start!, async () => {
      const slots = (await world.running()).map((name) => name.split('.')[4]);
      most = Math.max(most, ...['0', '1'].map((slot) => slots.filter((one) => one === slot).length));
    });
    expect(most).toBe(1);
    expect(await world.running()).toEqual(
      ['dev.hello.web.r2.0.g1', 'dev.hello.web.r2.1.g1'].map((name) =>
        expect.stringContaining(name.slice(0, 18)),
      ),
    );
    expect([await machineOf(world, 0), await machineOf(world, 1)]).toEqual(homes);
    for (const { name, mounts } of created(world))
      expect(mounts).toEqual([
        {
          type: 'volume',
          name: `dev.hello.data.${name.split('.')[4]}`,
          target: '/var/lib/data',
          readOnly: false,
        },
      ]);
  });

  it('goes back to its machine after it was scaled away, and where that is full says so', async () => {
    const world = await deployed(withData({ replicas: 1 }));
    const home = await machineOf(world, 0);
    const scale = (service: string, replicas: number) =>
      world.happen(
        world.command({
          type: 'scale',
          application: service === 'web' ? 'hello' : 'filler',
          service: 'web',
          replicas,
        }),
      );
    await scale('web', 0);
    expect(await world.running()).toEqual([]);
    await world.happen(world.deploy(hello({ replicas: 3, resources: { cpu: 1 } }, { name: 'filler' })));
    await scale('web', 1);
    expect((await world.service())?.rollout).toMatchObject({
      state: 'failed',
      code: 'no-room',
      reason: expect.stringMatching(
        `^volume dev.hello.data.0 is on machine ${home}, so slot 0 can be there alone: no machine has room`,
      ),
    });
    await scale('filler', 0);
    await scale('web', 1);
    expect(await machineOf(world, 0)).toBe(home);
  });

  it('says why it cannot move when its machine is gone, and never starts with an empty one by itself', async () => {
    const world = await deployed(withData({ replicas: 1 }));
    const home = await machineOf(world, 0);
    const [pool = ''] = String(home).split('-');
    await world.stores.machines.delete(...placeOf.machine(pool, String(home)));
    await world.ports.capacity.removeMachine(pool, String(home));
    world.engines.delete(String(home));
    await world.pass(60_000);
    const made = created(world).length;
    await world.happen(world.sweep());
    await world.happen(world.command({ type: 'restart', application: 'hello', service: 'web' }));
    expect(created(world)).toHaveLength(Math.max(0, made));
    const service = await world.service();
    expect(service?.rollout).toMatchObject({
      state: 'failed',
      code: 'no-room',
      reason: `volume dev.hello.data.0 was on machine ${home}, which is gone, and slot 0 does not start with an empty one unless somebody says so: berth volumes rm hello/data --slot 0 --environment dev --forget`,
    });
  });

  it('runs on where its machine is drained, since it can go nowhere else', async () => {
    const world = await deployed(withData({ replicas: 1 }));
    const home = String(await machineOf(world, 0));
    const before = await world.running();
    const cordon = {
      since: world.clock.now.toISOString(),
      by: 'user',
      reason: 'a test',
      drain: true,
    } as const;
    await world.stores.machines.update('default', home, (machine) => machine && { ...machine, cordon });
    await world.happen(world.sweep());
    expect(await world.running()).toEqual(before);
    await world.happen(world.command({ type: 'restart', application: 'hello', service: 'web' }));
    expect((await world.service())?.rollout).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('where nothing new starts (a test), and nowhere else'),
    });
    await world.stores.machines.update('default', home, (machine) => {
      const { cordon: _, ...rest } = machine!;
      return rest;
    });
    await world.happen(world.sweep());
    expect(await machineOf(world, 0)).toBe(home);
  });

  it('is not started with an empty volume in place of one that somebody removed from the engine', async () => {
    const world = await deployed(withData({ replicas: 1 }));
    const home = String(await machineOf(world, 0));
    await world.happen(world.command({ type: 'scale', application: 'hello', service: 'web', replicas: 0 }));
    await world.engines.get(home)?.volumes.remove('dev.hello.data.0');
    await world.happen(world.command({ type: 'scale', application: 'hello', service: 'web', replicas: 1 }));
    expect((await world.service())?.rollout).toMatchObject({ state: 'failed', code: 'volume-missing' });
    expect(await world.running()).toEqual([]);
  });

  it('keeps its machine when it is removed, and what is reserved for the volume stays over the sweep', async () => {
    const world = await deployed(withData({ replicas: 1 }));
    await world.happen(world.deploy({ name: 'hello' }));
    expect(await world.running()).toEqual([]);
    for (const finding of await sweepServices(world.ports, async () => false))
      if (finding.finding !== 'repair') await mend(world.ports, finding);
    expect(await world.reservations()).toEqual(['r!volume=20dev.hello.data.0']);
    expect(await all(world.stores.volumes.list({}))).toHaveLength(1);
  });
});

describe('sidecars', () => {
  const sidecars = {
    log: { image: 'hello/log:1', resources: { cpu: 0.5, memory: 100 }, volumes: ['data:/data:ro'] },
  };

  it('stand beside each replica, in its network and with its volumes, and go after it', async () => {
    const world = await deployed(withData({ replicas: 1, sidecars }));
    const names = await world.running();
    expect(names).toEqual(
      ['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.0.g1.log'].map((_, index) =>
        expect.stringMatching(
          index === 0 ? /^dev\.hello\.web\.r1\.0\.g\d+$/ : /^dev\.hello\.web\.r1\.0\.g\d+\.log$/,
        ),
      ),
    );
    const [engine] = world.engines.values();
    const [main, log] = engine!.control.created;
    expect(log).toMatchObject({
      image: `registry.example:5000/hello/log@${digestOf('c')}`,
      sharesNetworkOf: (await world.replicas())[0]?.containerId,
      mounts: [{ type: 'volume', name: 'dev.hello.data.0', target: '/data', readOnly: true }],
      labels: { 'berth.sidecar': 'log', 'berth.sidecar-of': main?.name, 'berth.slot': '0' },
    });
    const capacity = await all(world.stores.machines.list({}));
    expect(capacity).toHaveLength(1);
    for await (const { row, values } of world.stores.tables.list('capacity', RESERVATIONS_RANGE))
      if (row.startsWith('r!dev.')) expect(JSON.stringify(values)).toMatch(/"cpu\\?":0\.6.*"memory\\?":164/);
    expect(await sweepServices(world.ports, async () => false)).toEqual([]);
    await world.happen(world.command({ type: 'scale', application: 'hello', service: 'web', replicas: 0 }));
    expect(await engine!.list([])).toEqual([]);
  });

  it('one whose container is gone is swept; of one that runs it is not', async () => {
    const world = await deployed(hello({ replicas: 1, sidecars: { log: { image: 'hello/log:1' } } }));
    const [replica] = await world.replicas();
    const [engine] = world.engines.values();
    await world.pass(60_000);
    expect(await sweepServices(world.ports, async () => false)).toEqual([]);
    await world.stores.replicas.delete(...placeOf.replica(replica!));
    await engine!.remove(replica!.containerId!);
    await world.stores.services.update(
      ...placeOf.service(web),
      (service) => service && { ...service, spec: { ...service.spec, replicas: 1 } },
    );
    const findings = await sweepServices(world.ports, async () => false);
    expect(findings).toContainEqual(
      expect.objectContaining({
        finding: 'remove',
        reason: expect.stringContaining('which it stood beside, is gone'),
      }),
    );
  });
});

describe('secrets and configs', () => {
  it('reach containers of a rollout, whose records, inputs and requests hold no value', async () => {
    const world = workloadWorld();
    await world.ports.secrets.set({ environment: web.environment, name: 'password' }, Buffer.from('canary'));
    world.push('hello/web', '1', digestOf('a'));
    const [start] = await world.send(
      world.deploy(
        hello(
          { replicas: 1, secrets: ['password'], configs: ['a.conf'] },
          { configs: { 'a.conf': { content: 'colour=blue' } } },
        ),
      ),
    );
    expect(JSON.stringify(start)).not.toContain('canary');
    expect(JSON.stringify(start)).not.toContain('colour=blue');
    await world.carryOut(start!);
    expect(await world.replicas()).toMatchObject([
      { status: { state: 'healthy' }, secrets: { password: 1 } },
    ]);
    const [engine] = world.engines.values();
    expect(Buffer.from([...engine!.control.archives.values()][0]!).toString('latin1')).toContain('canary');
    expect(JSON.stringify(engine!.control.created)).not.toContain('canary');
  });

  it('a secret that was removed since is told as what the rollout fails for', async () => {
    const world = workloadWorld();
    const key = { environment: web.environment, name: 'password' };
    await world.ports.secrets.set(key, Buffer.from('x'));
    await world.happen(world.deploy(hello({ replicas: 1, secrets: ['password'] })));
    await world.ports.secrets.remove(key);
    await world.happen(world.push('hello/web', '1', digestOf('a')));
    expect((await world.service())?.rollout).toMatchObject({ state: 'failed', code: 'secret-missing' });
  });
});
