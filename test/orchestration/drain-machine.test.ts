import type { DurableClient } from 'durable-functions';
import { describe, expect, test } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { takeLook } from '../../functions/activities/look-at-drain.ts';
import { drain } from '../../functions/orchestrators/drain-machine.ts';
import type { Services } from '../../functions/services.ts';
import { eventStore } from '../../shared/events/event-store.ts';
import { machineStore } from '../../shared/machines/machine-store.ts';
import { cordoned } from '../../shared/machines/replacement/cordon.ts';
import { type DrainLook, lookAtDrain } from '../../shared/machines/replacement/drain.ts';
import type { Cordon } from '../../shared/model/machine.ts';
import { MachineName } from '../../shared/model/names.ts';
import type { Start } from '../../shared/workloads/answer.ts';
import { poolServices } from '../support/pools.ts';
import { runOrchestration } from '../support/run-orchestration.ts';
import { trustsAll } from '../support/trusts-all.ts';
import { digestOf, hello, workloadWorld } from '../support/workload-world.ts';

/** A service with two replicas on one machine, which is then cordoned. */
async function draining(wishes: Partial<Cordon>, pool: Record<string, unknown> = {}) {
  const world = workloadWorld();
  await world.send(world.deploy(hello({}, { pools: { default: pool } })));
  await world.happen(world.push('hello/web', '1', digestOf('a')));
  await world.pass(120_000);
  const machine = MachineName.parse(world.provisioned[0]);
  const starts: Start[] = [];
  const client = {
    getStatus: async (id: string) => {
      if (world.live.has(id)) return { runtimeStatus: 'Running' };
      throw new Error(
        `DurableClient error: Durable Functions extension replied with HTTP 404 response. ${id}`,
      );
    },
    startNew: async (orchestrator: string, { instanceId, input }: { instanceId: string; input: unknown }) =>
      void starts.push({ orchestrator, instanceId, input }),
  } as unknown as DurableClient;
  const { tables } = world.stores;
  const services = {
    now: () => world.clock.now,
    tables,
    stores: world.stores,
    machines: machineStore(tables),
    engineOf: world.ports.engineOf,
    events: eventStore(tables, () => world.clock.now),
    images: { resolve: async () => digestOf('a') },
    trust: trustsAll,
    mirror: {},
    registry: {},
    ...poolServices({ tables, now: () => world.clock.now }),
  } as unknown as Services;
  const cordon: Cordon = {
    since: world.clock.now.toISOString(),
    by: 'drift',
    reason: 'another image',
    drain: true,
    ...wishes,
  };
  await services.machines.change(machine, (current) => cordoned(current, cordon));
  const looks: DrainLook[] = [];
  const retired: Start[] = [];
  const activity = {
    signature: lookAtDrain,
    run: async (input: unknown) => {
      const { looks: before } = lookAtDrain.input.parse(input);
      const value = await takeLook(machine, before, services, client);
      looks.push(value);
      for (const start of starts.splice(0))
        if (start.orchestrator === 'roll-out') await world.carryOut(start);
        else retired.push(start);
      return { outcome: 'done', value };
    },
  } as unknown as Activity<never, unknown>;
  const follow = () =>
    runOrchestration(
      drain,
      { machine },
      { instanceId: `drain-${machine}`, activities: [activity], services, clock: world.clock },
    );
  return { world, machine, services, looks, retired, follow, activity };
}

describe('drain-machine', () => {
  test('moves what is there by the services themselves, then has the machine retired', async () => {
    const { world, machine, services, retired, follow, looks } = await draining({});
    const { output } = await follow();
    expect(output).toEqual({ state: 'drained' });
    expect(looks[0]).toMatchObject({ state: 'waiting', left: ['dev.hello.web'] });
    expect((await world.replicas()).every((one) => one.machine !== machine)).toBe(true);
    expect(retired).toMatchObject([
      { orchestrator: 'retire-machine', instanceId: `retire-${machine}`, input: { reason: 'another image' } },
    ]);
    expect((await services.machines.get(machine))?.cordon?.drainedAt).toBeDefined();
  });

  test('a machine that a user drains stays, closed, and can be opened again', async () => {
    const { machine, services, retired, follow } = await draining({ by: 'user' });
    expect((await follow()).output).toEqual({ state: 'drained' });
    expect(retired).toEqual([]);
    expect((await services.machines.get(machine))?.status.state).toBe('ready');
  });

  test('where there is no other room it waits, and nothing of the service ends', async () => {
    const { world, machine, services, follow } = await draining({}, { maximum: 1 });
    let rounds = 0;
    const stop = services.machines.get.bind(services.machines);
    (services.machines as { get: typeof stop }).get = async (name) => {
      rounds += 1;
      if (rounds === 40) await services.machines.change(machine, ({ cordon: _, ...open }) => open);
      return stop(name);
    };
    let waits: string | undefined;
    const noted = services.machines.change.bind(services.machines);
    (services.machines as { change: typeof noted }).change = async (name, change) => {
      const changed = await noted(name, change);
      waits = changed?.cordon?.waits ?? waits;
      return changed;
    };
    expect((await follow()).output).toEqual({ state: 'over' });
    expect(waits).toContain('dev.hello.web: no machine has room');
    expect(waits).toContain('the pool has its maximum of 1 machines');
    expect(await world.running()).toEqual(['dev.hello.web.r1.0.g1', 'dev.hello.web.r1.1.g1']);
    expect((await world.replicas()).every((one) => one.machine === machine)).toBe(true);
  });

  test('a machine that Azure took is lost at once, and what was on it starts elsewhere', async () => {
    const at = (seconds: number) =>
      new Date(Date.parse('2026-11-25T12:00:00Z') + seconds * 1000).toISOString();
    const { world, machine, services, follow } = await draining({ by: 'eviction', until: at(0) });
    world.engines.get(machine)?.control.reachable(false);
    expect((await follow()).output).toEqual({ state: 'drained' });
    expect((await services.machines.get(machine))?.status.state).toBe('silent');
    expect((await world.replicas()).every((one) => one.machine !== machine)).toBe(true);
  });
});
