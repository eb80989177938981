import { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, test } from 'vitest';
import type { Services } from '../../functions/services.ts';
import { dueSchedules } from '../../functions/timers/due-schedules.ts';
import { sweep } from '../../functions/timers/sweep-services.ts';
import type { ContainerRequest } from '../../shared/docker/engine.ts';
import { eventStore } from '../../shared/events/event-store.ts';
import { MachineRoom } from '../../shared/scheduling/rows.ts';
import { documents } from '../../shared/state/documents.ts';
import type { Start } from '../../shared/workloads/answer.ts';
import { all, placeOf } from '../../shared/workloads/stores.ts';
import { trustsAll } from '../support/trusts-all.ts';
import { digestOf, hello, web, workloadWorld } from '../support/workload-world.ts';

const a = digestOf('a');

/** The app's timers on a world in memory; orchestrations that they start run to their end afterwards. */
async function world() {
  const made = workloadWorld();
  await made.send(
    made.deploy(hello({}, { jobs: { tidy: { image: 'hello/web:1', schedule: { cron: '*/5 * * * *' } } } })),
  );
  await made.happen(made.push('hello/web', '1', a));
  await made.pass(120_000);
  const started: Start[] = [];
  const client = {
    startNew: async (orchestrator: string, { instanceId, input }: { instanceId: string; input: unknown }) => {
      started.push({ orchestrator, instanceId, input });
      return instanceId;
    },
    getStatus: async (id: string) => {
      if (!made.live.has(id)) throw new Error('unknown');
      return { runtimeStatus: 'Running' };
    },
  } as unknown as DurableClient;
  const services = {
    ...made.services,
    stores: made.stores,
    events: eventStore(made.stores.tables, () => made.clock.now),
    images: { resolve: async () => a },
    trust: trustsAll,
    mirror: { manifest: async () => undefined },
    registry: {},
    now: () => made.clock.now,
  } as unknown as Services;
  const [engine] = made.engines.values();
  const carryOutAll = async () => {
    for (const start of started.splice(0)) await made.carryOut(start);
  };
  return {
    ...made,
    engine: engine!,
    started,
    services,
    client,
    carryOutAll,
    async sweepOnce() {
      await sweep(services, client, new InvocationContext());
      const count = started.length;
      await carryOutAll();
      return count;
    },
    /** Starts a container as a rollout would have, without any record. */
    async stray(change: Partial<ContainerRequest>) {
      const request = { ...engine!.control.created[0]!, ...change };
      await engine!.pull(request.image, 'token');
      const { id } = await engine!.create(request);
      await engine!.start(id);
    },
  };
}
const both = ['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g1'];

describe('the sweep of services', () => {
  test('finds nothing to do when all is well', async () => {
    const { sweepOnce, running } = await world();
    expect(await sweepOnce()).toBe(0);
    expect(await running()).toEqual(both);
  });

  test('restarts a replica that was killed by hand, once', async () => {
    const { sweepOnce, engine, running } = await world();
    engine.control.exit('dev.hello.web.r1.1.g1', 137);
    expect(await sweepOnce()).toBe(1);
    expect(await running()).toEqual(['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g2']);
    expect(await sweepOnce()).toBe(0);
  });

  test('restarts a replica that was removed by hand', async () => {
    const { sweepOnce, engine, running } = await world();
    await engine.remove((await engine.inspect('dev.hello.web.r1.1.g1'))!.id);
    await sweepOnce();
    expect(await running()).toEqual(['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g2']);
  });

  test('adopts containers whose records were lost, with their room', async () => {
    const { sweepOnce, stores, running, replicas, ports, reservations } = await world();
    for (const replica of await replicas()) {
      await stores.replicas.delete(...placeOf.replica(replica));
      await ports.capacity.release('default', `dev.hello.web.r1.${replica.slot}.g1`);
    }
    expect(await sweepOnce()).toBe(1);
    expect(await running()).toEqual(both);
    expect((await replicas()).map(({ status, port }) => [status.state, port])).toEqual([
      ['healthy', 20000],
      ['healthy', 20001],
    ]);
    expect(await reservations()).toHaveLength(2);
  });

  test('removes what nothing wants: an older revision, a second one of a slot, a service that is gone', async () => {
    const { sweepOnce, stray, running, pass } = await world();
    const labelled = (service: string, revision: number, slot: number) => ({
      labels: {
        'berth.environment': 'dev',
        'berth.service': service,
        'berth.revision': String(revision),
        'berth.slot': String(slot),
        'berth.generation': '9',
      },
      publish: undefined,
    });
    await stray({ name: 'old', ...labelled('dev.hello.web', 7, 0) });
    await stray({ name: 'second', ...labelled('dev.hello.web', 1, 0) });
    await stray({ name: 'gone', ...labelled('dev.bye.web', 1, 0) });
    await stray({
      name: 'run',
      labels: { 'berth.environment': 'dev', 'berth.run': 'ev-x', 'berth.job': 'dev.hello.x' },
      publish: undefined,
    });
    await stray({ name: 'not-ours', labels: {}, publish: undefined });
    expect(await running()).toHaveLength(7);
    await sweepOnce();
    expect(await running()).toHaveLength(7);
    await pass(31_000);
    await sweepOnce();
    expect(await running()).toEqual([...both, 'not-ours']);
  });

  test('leaves a service alone that a live rollout owns', async () => {
    const { sweepOnce, engine, stores, live } = await world();
    engine.control.exit('dev.hello.web.r1.1.g1', 137);
    await stores.services.update(...placeOf.service(web), (row) => row && { ...row, owner: 'ev-going' });
    live.add('ev-going');
    expect(await sweepOnce()).toBe(0);
    live.delete('ev-going');
    expect(await sweepOnce()).toBe(1);
  });

  test('reserves the room of a replica again whose reservation was lost', async () => {
    const { sweepOnce, stores, reservations } = await world();
    for await (const { partition, row } of stores.tables.list('capacity', {}))
      await stores.tables.commit('capacity', partition, [{ kind: 'delete', row }]);
    expect(await sweepOnce()).toBe(0);
    expect(await reservations()).toEqual(both.map((name) => `r!${name}`));
    const rooms = await all(documents(stores.tables, 'capacity', MachineRoom).list({ from: 'm!', to: 'm"' }));
    expect(rooms).toMatchObject([{ freeCpu: 1.8, ports: [20000, 20001] }]);
  });

  test('releases room that nothing stands behind', async () => {
    const { sweepOnce, ports, reservations } = await world();
    await ports.capacity.reserve('default', {
      reservation: 'dev.hello.web.r9.0.g9',
      group: 'dev.hello.web',
      demand: { cpu: 0.1, memory: 64, port: true },
      avoid: [],
      owner: 'ev-x',
    });
    expect(await reservations()).toHaveLength(3);
    await sweepOnce();
    expect(await reservations()).toHaveLength(2);
  });
});

describe('an image that was refused', () => {
  test('is asked about again once other rules hold, and not before', async () => {
    const { services, sweepOnce, stores } = await world();
    let rules = 'first';
    Object.assign(services, { trust: { ...trustsAll, rules: async () => rules } });
    const refused = async () => (await stores.services.get(...placeOf.service(web)))?.value.refused;
    const at = '2026-11-25T12:00:00.000Z';
    await stores.services.update(
      ...placeOf.service(web),
      (row) => row && { ...row, refused: { digest: a, reasons: ['x'], rules, cause: 'x 1', at } },
    );
    await sweepOnce();
    expect(await refused()).toBeDefined();
    rules = 'second';
    await sweepOnce();
    expect(await refused()).toBeUndefined();
  });
});

describe('schedules', () => {
  test('a due time makes one run, however often and by how many it is looked at', async () => {
    const { services, client, started, clock, pass, stores, carryOutAll, engine } = await world();
    engine.control.behave('registry.example:5000/', { exitCode: 0, lines: ['tidied'] });
    const look = () => dueSchedules(services, client, new InvocationContext());
    await Promise.all([look(), look()]);
    expect(started).toHaveLength(0);
    await pass(Date.parse('2026-11-25T12:05:03Z') - clock.now.getTime());
    await Promise.all([look(), look()]);
    await look();
    expect(new Set(started.map(({ instanceId }) => instanceId)).size).toBe(1);
    started.splice(1);
    await carryOutAll();
    const [run, ...others] = await all(stores.runs.list({}));
    expect(others).toEqual([]);
    expect(run?.status).toMatchObject({ state: 'succeeded', lastLines: ['tidied'] });
    expect(run?.cause).toBe('schedules/dev.hello.tidy 2026-11-25T12:05:00.000Z');
  });
});
