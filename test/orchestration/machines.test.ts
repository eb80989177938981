import { describe, expect, it } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { begin } from '../../functions/activities/begin-retirement.ts';
import { nic } from '../../functions/activities/create-nic.ts';
import { create } from '../../functions/activities/create-virtual-machine.ts';
import { remove } from '../../functions/activities/delete-resource.ts';
import { network } from '../../functions/activities/ensure-network.ts';
import { fail } from '../../functions/activities/fail-machine.ts';
import { forget } from '../../functions/activities/forget-machine.ts';
import { look } from '../../functions/activities/look-at-machine.ts';
import { noteRefused } from '../../functions/activities/note-refusal.ts';
import { note } from '../../functions/activities/note-removed.ts';
import { poll } from '../../functions/activities/poll-operation.ts';
import { record } from '../../functions/activities/record-machine.ts';
import { provision } from '../../functions/orchestrators/provision-machine.ts';
import { retire } from '../../functions/orchestrators/retire-machine.ts';
import type { Services } from '../../functions/services.ts';
import { ensureEngineCa } from '../../shared/certificates/engine-ca.ts';
import { type MemoryCloud, memoryCloud } from '../../shared/machines/cloud.memory.ts';
import { consoles } from '../../shared/machines/consoles.ts';
import { machineStore } from '../../shared/machines/machine-store.ts';
import { ProvisionMachine } from '../../shared/machines/provisioning.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { MachineName, PoolName } from '../../shared/model/names.ts';
import { Secret } from '../../shared/secrets/secret.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { poolServices } from '../support/pools.ts';
import { runOrchestration } from '../support/run-orchestration.ts';

const machine = MachineName.parse('default-k3x9bc');
const request = ProvisionMachine.parse({
  pool: 'default',
  machine,
  spec: { sizes: ['Standard_B2s', 'Standard_D2s_v5'] },
  cause: 'test 1',
});
const activities = [
  record,
  network,
  nic,
  create,
  poll,
  remove,
  look,
  fail,
  begin,
  forget,
  note,
  noteRefused,
] as unknown as Activity<never, unknown>[];

function world(change: (cloud: MemoryCloud) => Partial<MemoryCloud> = () => ({})) {
  const clock = { now: new Date('2026-11-25T00:00:00Z') };
  const tables = memoryTables();
  const cloud = memoryCloud(() => clock.now);
  Object.assign(cloud, change({ ...cloud }));
  const secrets = blobSecrets(memoryBlobs(), {
    current: new Secret(Buffer.alloc(32, 1).toString('base64')),
    previous: undefined,
  });
  const ca = ensureEngineCa(secrets);
  const services = {
    settings: {
      subscription: '11111111-1111-4111-8111-111111111111',
      resourceGroup: 'berth-machines',
      hostname: 'app.example.org',
      network: '10.20.0.0/16',
    },
    now: () => clock.now,
    engineCa: () => ca,
    machines: machineStore(tables),
    cloud,
    consoles: consoles(memoryBlobs()),
    ...poolServices({ tables, now: () => clock.now }),
  } as unknown as Services;
  /** What the machine's first report does to its record. */
  const reports = async (): Promise<Machine> => {
    const status = { state: 'ready', since: clock.now.toISOString() } as const;
    return (await services.machines.change(machine, (current) => ({ ...current, status })))!;
  };
  return { clock, cloud, services, activities, reports };
}

type World = ReturnType<typeof world>;

const run = (made: World, events: () => Record<string, unknown> = () => ({})) =>
  runOrchestration(provision, request, { ...made, instanceId: `machine-${machine}`, events });

/** The machine reports as soon as its VM is there. */
async function runReporting(made: World) {
  let ready: Machine | undefined;
  const { poll: pollCloud } = made.cloud;
  made.cloud.poll = async (operation) => {
    const progress = await pollCloud(operation);
    if (operation.kind === 'vm' && progress.status === 'done') ready = await made.reports();
    return progress;
  };
  return await run(made, () => (ready === undefined ? {} : { ready }));
}

describe('provisioning a machine', () => {
  it('ends ready, with network, NIC and VM made under the recorded names', async () => {
    const made = world();
    const { output, asked } = await runReporting(made);
    expect(output).toMatchObject({
      status: 'ready',
      machine: {
        name: machine,
        size: 'Standard_B2s',
        address: '10.20.0.4',
        owner: `machine-${machine}`,
        vmId: `/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/berth-machines/providers/Microsoft.Compute/virtualMachines/${machine}`,
      },
    });
    expect(asked.map(({ name }) => name).filter((name) => name !== 'poll-operation')).toEqual([
      'record-machine',
      'ensure-network',
      'create-nic',
      'create-virtual-machine',
    ]);
    expect((await made.cloud.tagged()).map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      `disk ${machine}-disk`,
      `nic ${machine}-nic`,
      `vm ${machine}`,
    ]);
  });

  it('takes the next size when ARM has none of the preferred one', async () => {
    const made = world();
    made.cloud.failNext('AllocationFailed', 'no capacity in this region');
    const { output } = await runReporting(made);
    expect(output).toMatchObject({ status: 'ready', machine: { size: 'Standard_D2s_v5' } });
  });

  it('fails with what ARM said when no size is left, and leaves nothing behind', async () => {
    const made = world();
    made.cloud.failNext('AllocationFailed', 'no capacity');
    made.cloud.failNext('SkuNotAvailable', 'not in this region');
    const { output } = await run(made);
    expect(output).toEqual({
      status: 'failed',
      code: 'size-unavailable',
      reason: `Making the virtual machine ${machine}-2 of size Standard_D2s_v5 failed: SkuNotAvailable: not in this region`,
    });
    expect(await made.cloud.tagged()).toEqual([]);
    expect((await made.services.machines.get(machine))?.status).toMatchObject({
      state: 'failed',
      code: 'size-unavailable',
    });
  });

  it('fails at once when the quota of the region is spent', async () => {
    const made = world();
    made.cloud.failNext('OperationNotAllowed', 'exceeding approved Total Regional Cores quota');
    const { output, asked } = await run(made);
    expect(output).toMatchObject({ status: 'failed', code: 'quota-exceeded' });
    expect(asked.filter(({ name }) => name === 'create-virtual-machine')).toHaveLength(1);
    expect(await made.cloud.tagged()).toEqual([]);
  });

  it('fails after ten minutes without a report, with the end of the console log, and removes the VM', async () => {
    const made = world(() => ({ consoleLog: async () => 'booting\n\u001b[31mcloud-init failed\u001b[0m\n' }));
    const { output, endedAt } = await run(made);
    expect(output).toMatchObject({ status: 'failed', code: 'machine-not-registered' });
    expect(endedAt.getTime()).toBeGreaterThanOrEqual(Date.parse('2026-11-25T00:10:00Z'));
    expect(await made.cloud.tagged()).toEqual([]);
    const { status, leftovers } = (await made.services.machines.get(machine))!;
    expect(status).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('cloud-init failed'),
      remedy: expect.stringContaining('registerWithin'),
      console: `console/${machine}/1.log`,
    });
    expect(leftovers).toEqual([]);
    expect(await made.services.consoles.read(`console/${machine}/1.log`)).toContain('booting');
  });

  it('is ready when only the event was lost', async () => {
    const made = world();
    const { createVirtualMachine } = made.cloud;
    made.cloud.createVirtualMachine = async (asked) => {
      const progress = await createVirtualMachine(asked);
      await made.reports();
      return progress;
    };
    expect((await run(made)).output).toMatchObject({ status: 'ready' });
  });

  it('waits when ARM is busy, and goes on', async () => {
    const made = world();
    const { createNic } = made.cloud;
    let busy = 2;
    made.cloud.createNic = async (asked) => {
      busy -= 1;
      return busy > 0
        ? { status: 'refused', code: 'AnotherOperationInProgress', message: 'wait' }
        : await createNic(asked);
    };
    expect((await runReporting(made)).output).toMatchObject({ status: 'ready' });
  });

  it('asks again until launchWithin has passed when ARM gives no answer, and says so', async () => {
    const made = world(() => ({
      ensureNetwork: async () => {
        throw new Error('connection refused');
      },
    }));
    const { output } = await run(made);
    expect(output).toEqual({
      status: 'failed',
      code: 'activity-failed',
      reason: 'Making the network of the machines failed: ensure-network: connection refused',
    });
    expect(made.clock.now.getTime()).toBeGreaterThan(Date.parse('2026-11-25T00:09:00Z'));
  });

  it('refuses a pool whose sizes are too small', async () => {
    const made = world();
    const needs = { cpu: 64, memory: 1024 };
    const { output } = await runOrchestration(provision, { ...request, needs }, { ...made, instanceId: 'x' });
    expect(output).toMatchObject({ status: 'failed', code: 'no-size-left' });
  });

  it('answers the same when it is repeated for a machine that is ready', async () => {
    const made = world();
    const first = await runReporting(made);
    const second = await run(made);
    expect(second.output).toEqual(first.output);
    expect(second.asked.map(({ name }) => name)).toEqual(['record-machine']);
  });
});

describe('retiring a machine', () => {
  it('deletes VM, NIC and disk, then the record', async () => {
    const made = world();
    await runReporting(made);
    const input = { pool: PoolName.parse('default'), machine, reason: 'not needed' };
    const { output, asked } = await runOrchestration(retire, input, {
      ...made,
      instanceId: `retire-${machine}`,
    });
    expect(output).toEqual({ status: 'retired' });
    const deleted = asked.filter(({ name }) => name === 'delete-resource').map(({ input }) => input);
    expect(deleted).toEqual([
      { kind: 'vm', name: machine },
      { kind: 'nic', name: `${machine}-nic` },
      { kind: 'disk', name: `${machine}-disk` },
    ]);
    expect(await made.cloud.tagged()).toEqual([]);
    expect(await made.services.machines.get(machine)).toBeUndefined();
  });

  it('is done at once for a machine without record', async () => {
    const made = world();
    const input = { pool: PoolName.parse('default'), machine, reason: 'not needed' };
    const { output } = await runOrchestration(retire, input, { ...made, instanceId: 'x' });
    expect(output).toEqual({ status: 'retired' });
  });
});
