import type { DurableClient } from 'durable-functions';
import { describe, expect, test } from 'vitest';
import type { Services } from '../../functions/services.ts';
import { replaceMachines } from '../../functions/timers/replace-machines.ts';
import { machineStore } from '../../shared/machines/machine-store.ts';
import { MachineName } from '../../shared/model/names.ts';
import { MachineRoom, machineRow } from '../../shared/scheduling/rows.ts';
import { documents } from '../../shared/state/documents.ts';
import { poolServices } from '../support/pools.ts';
import { digestOf, hello, workloadWorld } from '../support/workload-world.ts';

/** A service on a machine of an image that is not its pool's. */
async function drifted(pool: Record<string, unknown>) {
  const world = workloadWorld();
  await world.send(world.deploy(hello({}, { pools: { default: pool } })));
  await world.happen(world.push('hello/web', '1', digestOf('a')));
  const name = MachineName.parse(world.provisioned[0]);
  const { tables } = world.stores;
  const started: string[] = [];
  const client = {
    getStatus: async () => {
      throw new Error('DurableClient error: Durable Functions extension replied with HTTP 404 response.');
    },
    startNew: async (_name: string, { instanceId }: { instanceId: string }) => void started.push(instanceId),
  } as unknown as DurableClient;
  const now = () => world.clock.now;
  const services = {
    ...{ now, tables, stores: world.stores, machines: machineStore(tables) },
    ...poolServices({ tables, now }),
  } as unknown as Services;
  const errors: unknown[] = [];
  const context = { log: () => {}, error: (...said: unknown[]) => void errors.push(said) };
  return {
    world,
    name,
    started,
    errors,
    replace: () => replaceMachines(services, client, context),
    machine: async () => await services.machines.get(name),
    room: async () =>
      (await documents(tables, 'capacity', MachineRoom).get('default', machineRow(name)))?.value,
  };
}

describe('the replacement of machines', () => {
  test('cordons one that drifted, closes its room and has it drained', async () => {
    const { name, started, errors, replace, machine, room } = await drifted({ maximum: 2 });
    await replace();
    expect(errors).toEqual([]);
    expect((await machine())?.cordon).toMatchObject({
      by: 'drift',
      drain: true,
      reason: 'its image is x, and its pool has Debian:debian-13:13-gen2:latest',
    });
    expect((await room())?.closed).toBe(true);
    expect(started).toEqual([`drain-${name}`]);
  });

  test('leaves one whose replicas would have no other room, and says so', async () => {
    const { started, errors, replace, machine, room } = await drifted({ maximum: 1 });
    await replace();
    expect(errors).toEqual([]);
    const found = await machine();
    expect(found?.cordon).toBeUndefined();
    expect(found?.due?.waits).toContain('the pool has its maximum of 1 machines');
    expect((await room())?.closed).toBeUndefined();
    expect(started).toEqual([]);
  });

  test('opens it again when it is what the pool wants, and goes on with drains that a crash left', async () => {
    const { world, name, started, replace, machine, room } = await drifted({ maximum: 2 });
    await replace();
    await replace();
    expect(started).toEqual([`drain-${name}`, `drain-${name}`]);
    const image = 'Debian:debian-13:13-gen2:latest';
    await world.stores.machines.update('default', name, (current) => current && { ...current, image });
    await replace();
    expect((await machine())?.cordon).toBeUndefined();
    expect((await room())?.closed).toBeUndefined();
  });
});
