import { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { afterEach, describe, expect, it } from 'vitest';
import { provision } from '../../../functions/orchestrators/provision-machine.ts';
import { removeThem } from '../../../functions/orchestrators/remove-orphans.ts';
import { retire } from '../../../functions/orchestrators/retire-machine.ts';
import type { Services } from '../../../functions/services.ts';
import { sweepMachines } from '../../../functions/timers/sweep-machines.ts';
import { ensureEngineCa } from '../../../shared/certificates/engine-ca.ts';
import { armClients } from '../../../shared/machines/arm-clients.azure.ts';
import { handMade } from '../../../shared/machines/by-hand/hand-made-record.ts';
import { azurePublicAccess } from '../../../shared/machines/by-hand/public-access.azure.ts';
import { azureCloud } from '../../../shared/machines/cloud.azure.ts';
import { consoles } from '../../../shared/machines/consoles.ts';
import { machineStore } from '../../../shared/machines/machine-store.ts';
import {
  ProvisionMachine,
  type RemoveOrphans,
  type RetireMachine,
} from '../../../shared/machines/provisioning.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { NewMachine } from '../../../shared/model/new-machine.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { stores } from '../../../shared/workloads/stores.ts';
import { credential, startTestArm } from '../../support/arm.ts';
import { machineActivities } from '../../support/machine-activities.ts';
import { poolServices } from '../../support/pools.ts';
import { runOrchestration } from '../../support/run-orchestration.ts';
import { long, seed } from '../../support/sample.ts';

const ca = ensureEngineCa({ ensure: async (_name, make) => await make() });

/** A machine made by hand has all kinds of resources: what there is of the app beside the local ARM, on one clock. */
async function world() {
  const clock = { now: new Date() };
  const arm = await startTestArm({ now: () => clock.now });
  const clients = armClients(arm.settings, credential);
  const tables = memoryTables();
  const services = {
    settings: { ...arm.settings, hostname: 'app.example.org' },
    now: () => clock.now,
    engineCa: () => ca,
    tables,
    stores: stores(tables),
    machines: machineStore(tables),
    cloud: azureCloud(clients),
    publicAccess: azurePublicAccess(clients),
    consoles: consoles(memoryBlobs()),
    ...poolServices({ tables, now: () => clock.now }),
    engineOf: async () => ({ version: async () => ({}) }),
  } as unknown as Services;
  const machine = handMade(
    {
      request: NewMachine.parse({ name: 'dev', allowFrom: ['203.0.113.7/32'] }),
      size: { name: 'Standard_B2s', cores: 2, memory: 4096 } as never,
      allowFrom: ['203.0.113.7/32'],
      subnet: undefined,
      hourly: undefined,
      key: undefined,
      by: 'test',
      now: clock.now,
      subscription: arm.settings.subscription,
      resourceGroup: arm.settings.resourceGroup,
    },
    Math.random,
  );
  const options = { activities: machineActivities, services, clock };
  const run = async (name: string, input: unknown, instanceId: string) =>
    name === 'retire-machine'
      ? await runOrchestration(retire, input as RetireMachine, { ...options, instanceId })
      : await runOrchestration(removeThem, input as RemoveOrphans, { ...options, instanceId });
  /** Nothing goes on beside: what the sweep begins is done when it has ended. */
  const client = {
    getStatus: async () => ({ runtimeStatus: 'Completed' }),
    startNew: async (name: string, { instanceId, input }: { instanceId: string; input: unknown }) =>
      void (await run(name, input, instanceId)),
    raiseEvent: async () => {},
  } as unknown as DurableClient;
  return {
    arm,
    services,
    machine,
    async make() {
      await services.machines.add(machine);
      const { pool, name, size, image, owner } = machine;
      const input = ProvisionMachine.parse({
        pool,
        machine: name,
        spec: { sizes: [size], image },
        cause: 'test',
      });
      const report = async (): Promise<Machine | undefined> => {
        const since = clock.now.toISOString();
        return await services.machines.change(name, (current) =>
          current.status.state === 'booting' ? { ...current, status: { state: 'ready', since } } : undefined,
        );
      };
      // The machine reports once its VM is there.
      const { poll: pollCloud, createVirtualMachine } = services.cloud;
      let ready: Machine | undefined;
      const reporting =
        <A extends unknown[], R extends { status: string }>(
          work: (...given: A) => Promise<R>,
          isVm: (...given: A) => boolean,
        ) =>
        async (...given: A): Promise<R> => {
          const progress = await work(...given);
          if (isVm(...given) && progress.status === 'done') ready = await report();
          return progress;
        };
      Object.assign(services.cloud, {
        poll: reporting(pollCloud, ({ kind }) => kind === 'vm'),
        createVirtualMachine: reporting(createVirtualMachine, () => true),
      });
      const { output } = await runOrchestration(provision, input, {
        ...options,
        instanceId: owner,
        events: () => (ready === undefined ? {} : { ready }),
      });
      return output;
    },
    async remove() {
      const { pool, name } = machine;
      return (await run(
        'retire-machine',
        { pool, machine: name, reason: 'test', forget: true },
        'retire',
      )) as {
        output: { status: string };
      };
    },
    async sweep() {
      clock.now = new Date(clock.now.getTime() + 240_000);
      await sweepMachines(services, client, new InvocationContext({ logHandler: () => {} }), 0);
    },
    /** What ARM has of ours beside the machine that is ready. */
    async left(): Promise<string[]> {
      const current = await services.machines.get(machine.name);
      const names: (string | undefined)[] =
        current?.status.state === 'ready' ? Object.values(current.resources) : [];
      const tagged = await services.cloud.tagged();
      return tagged.filter(({ name }) => !names.includes(name)).map(({ kind, name }) => `${kind} ${name}`);
    },
  };
}

const whens = [
  { when: 'at-once', code: 'InvalidParameter' },
  { when: 'at-once', code: 'InternalServerError', times: 3 },
  { when: 'in-operation', code: 'AllocationFailed' },
  { when: 'in-operation', code: 'InternalServerError' },
  { when: 'after-commit-reply-lost' },
  { when: 'after-commit-reply-lost', times: 20 },
] as const;
/** All of them, or a third that the seed chooses. */
const table = (operations: readonly string[]) =>
  operations
    .flatMap((operation) =>
      whens.map((fault) => ({ operation, times: 1, ...fault, what: 'code' in fault ? fault.code : 'done' })),
    )
    .filter((_, index) => long || index % 3 === seed % 3);

describe('the real calls of ARM, each failed before, during and after', () => {
  let made: Awaited<ReturnType<typeof world>> | undefined;
  afterEach(async () => {
    await made?.arm.close();
    made = undefined;
  });
  const order = async ({ what: _, ...fault }: { what: string; operation: string }) => {
    expect((await made!.arm.call('POST', '/local/faults', fault)).status).toBeLessThan(300);
  };

  it.each(table(['nsg.create', 'vnet.create', 'publicIp.create', 'nic.create', 'vm.create']))(
    '$operation, $when, $what, $times times: the machine is there, or nothing of it and why',
    async (fault) => {
      made = await world();
      await order(fault);
      const output = await made.make();
      await made.arm.idle();
      if (output.status === 'failed') {
        expect(output.reason).toMatch(/^Making .+ failed: /);
        expect(await made.services.machines.get(made.machine.name)).toMatchObject({
          status: { state: 'failed', remedy: expect.stringMatching(/\.$/) },
        });
      }
      await made.arm.call('DELETE', '/local/faults');
      for (let sweeps = 0; sweeps < 2; sweeps += 1) await made.sweep();
      expect(await made.left()).toEqual([]);
      expect((await made.services.machines.get(made.machine.name))?.leftovers).toEqual([]);
    },
  );

  it.each(table(['vm.delete', 'nic.delete', 'publicIp.delete', 'nsg.delete']))(
    '$operation, $when, $what, $times times: it goes, at the latest with the second sweep',
    async (fault) => {
      made = await world();
      expect(await made.make()).toMatchObject({ status: 'ready' });
      await order(fault);
      await made.remove();
      await made.arm.call('DELETE', '/local/faults');
      for (let sweeps = 0; sweeps < 2; sweeps += 1) await made.sweep();
      expect(await made.services.cloud.tagged()).toEqual([]);
      expect(await made.services.machines.list()).toEqual([]);
    },
  );
});
