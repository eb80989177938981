import { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import type { Services } from '../../functions/services.ts';
import { sweepMachines } from '../../functions/timers/sweep-machines.ts';
import { memoryEngine } from '../../shared/docker/engine.memory.ts';
import { memoryCloud } from '../../shared/machines/cloud.memory.ts';
import type { Progress } from '../../shared/machines/cloud.ts';
import { consoles } from '../../shared/machines/consoles.ts';
import { resourceNames } from '../../shared/machines/machine-names.ts';
import { machineStore } from '../../shared/machines/machine-store.ts';
import { Machine, type MachineStatus } from '../../shared/model/machine.ts';
import { MachineName } from '../../shared/model/names.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { stores } from '../../shared/workloads/stores.ts';
import { poolServices } from '../support/pools.ts';

const name = MachineName.parse('default-k3x9bc');

function world() {
  const clock = { now: new Date('2026-11-25T00:00:00Z') };
  const tables = memoryTables();
  const cloud = memoryCloud(() => clock.now);
  const engine = memoryEngine();
  const services = {
    now: () => clock.now,
    tables,
    machines: machineStore(tables),
    stores: stores(tables),
    cloud,
    consoles: consoles(memoryBlobs()),
    ...poolServices({ tables, now: () => clock.now }),
    engineOf: async () => engine,
  } as unknown as Services;
  const started: { name: string; instanceId: string }[] = [];
  /** Answers as the library does for instances that it does not know. */
  const client = {
    getStatus: async (id: string) => {
      throw new Error(
        `DurableClient error: Durable Functions extension replied with HTTP 404 response. ${id}`,
      );
    },
    startNew: async (orchestrator: string, { instanceId }: { instanceId: string }) =>
      void started.push({ name: orchestrator, instanceId }),
  } as unknown as DurableClient;
  const later = (seconds: number) => {
    clock.now = new Date(clock.now.getTime() + seconds * 1000);
  };
  const sweep = () => sweepMachines(services, client, new InvocationContext(), 0);
  const record = (status: MachineStatus) =>
    services.machines.add(
      Machine.parse({
        name,
        pool: 'default',
        size: 'Standard_B2s',
        image: 'Debian:debian-13:13-gen2:latest',
        resources: resourceNames(name),
        vmId: '/x',
        address: '10.20.0.4',
        cpu: 2,
        memory: 3686,
        status,
        owner: `machine-${name}`,
      }),
    );
  const build = async () => {
    const { vm, nic, disk } = resourceNames(name);
    const rest = { size: 'Standard_B2s', image: 'x', customData: '', tags: {} };
    const done = async (progress: Progress) => {
      if (progress.status === 'going') await cloud.poll(progress.operation);
    };
    await done(await cloud.ensureNetwork());
    await done(await cloud.createNic({ name: nic, machine: name }));
    await done(await cloud.createVirtualMachine({ name: vm, nic, disk, ...rest }));
  };
  return { clock, cloud, engine, services, started, later, sweep, record, build };
}

describe('the sweep of machines', () => {
  it.each([
    ['deallocated', 'stopped'],
    ['running', 'silent'],
  ])('settles power whose orchestration is gone: one that is %s is %s', async (power, state) => {
    const { services, cloud, build, record, later, sweep, started } = world();
    await build();
    await record({ state: 'stopping', since: '2026-11-25T00:00:00.000Z' });
    const { virtualMachine } = cloud;
    cloud.virtualMachine = async (vm) => {
      const found = await virtualMachine(vm);
      return found && { ...found, power };
    };
    later(200);
    await sweep();
    expect((await services.machines.get(name))?.status.state).toBe(state);
    expect(started).toEqual([]);
  });

  it('begins to remove what has no record once it is old', async () => {
    const { later, sweep, build, started } = world();
    await build();
    await sweep();
    expect(started).toEqual([]);
    later(200);
    await sweep();
    expect(started).toEqual([{ name: 'remove-orphans', instanceId: `orphans-${name}` }]);
  });

  it('takes an engine’s answer for a report', async () => {
    const { clock, services, later, sweep, record } = world();
    await record({ state: 'ready', since: clock.now.toISOString() });
    later(50);
    await sweep();
    expect(await services.machines.get(name)).toMatchObject({
      heardAt: clock.now.toISOString(),
      status: { state: 'ready' },
    });
  });

  it('calls a machine silent whose engine does not answer either', async () => {
    const { clock, engine, services, later, sweep, record, build } = world();
    await build();
    await record({ state: 'ready', since: clock.now.toISOString() });
    later(50);
    engine.control.reachable(false);
    await sweep();
    expect((await services.machines.get(name))?.status).toEqual({
      state: 'silent',
      since: clock.now.toISOString(),
    });
  });

  it('retires a machine whose provisioning is gone', async () => {
    const { clock, started, later, sweep, record } = world();
    await record({ state: 'booting', since: clock.now.toISOString() });
    await sweep();
    expect(started).toEqual([]);
    later(200);
    await sweep();
    expect(started).toEqual([{ name: 'retire-machine', instanceId: `retire-${name}` }]);
  });
});
