import { afterEach, describe, expect, it } from 'vitest';
import type { Activity } from '../../../functions/activities/activity.ts';
import { nic } from '../../../functions/activities/create-nic.ts';
import { create } from '../../../functions/activities/create-virtual-machine.ts';
import { remove } from '../../../functions/activities/delete-resource.ts';
import { network } from '../../../functions/activities/ensure-network.ts';
import { fail } from '../../../functions/activities/fail-machine.ts';
import { look } from '../../../functions/activities/look-at-machine.ts';
import { noteRefused } from '../../../functions/activities/note-refusal.ts';
import { note } from '../../../functions/activities/note-removed.ts';
import { poll } from '../../../functions/activities/poll-operation.ts';
import { record } from '../../../functions/activities/record-machine.ts';
import { provision } from '../../../functions/orchestrators/provision-machine.ts';
import type { Services } from '../../../functions/services.ts';
import { ensureEngineCa } from '../../../shared/certificates/engine-ca.ts';
import { armClients } from '../../../shared/machines/arm-clients.azure.ts';
import { azureCloud } from '../../../shared/machines/cloud.azure.ts';
import { consoles } from '../../../shared/machines/consoles.ts';
import { machineStore } from '../../../shared/machines/machine-store.ts';
import { azureRegion } from '../../../shared/machines/offerings/region.azure.ts';
import { ProvisionMachine } from '../../../shared/machines/provisioning.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { PoolSpec } from '../../../shared/model/pool.ts';
import { Secret } from '../../../shared/secrets/secret.ts';
import { blobSecrets } from '../../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { credential, startTestArm, type TestArm, type TestArmOptions } from '../../support/arm.ts';
import { poolServices } from '../../support/pools.ts';
import { runOrchestration } from '../../support/run-orchestration.ts';

const activities = [
  ...[create, fail, look, network, nic, note, noteRefused, poll, record, remove],
] as unknown as Activity<never, unknown>[];
const ca = ensureEngineCa(
  blobSecrets(memoryBlobs(), {
    current: new Secret(Buffer.alloc(32, 1).toString('base64')),
    previous: undefined,
  }),
);

/** The pool's machines are asked for by the real SDK; a VM that is made reports at once. */
describe('what Azure refuses a pool', () => {
  const arms: TestArm[] = [];
  afterEach(async () => {
    for (const arm of arms.splice(0)) await arm.close();
  });

  async function world(spec: object, options: TestArmOptions = {}) {
    const running = await startTestArm(options);
    arms.push(running);
    const clock = { now: new Date('2026-11-25T00:00:00Z') };
    const tables = memoryTables();
    const clients = armClients(running.settings, credential);
    const cloud = azureCloud(clients);
    const machines = machineStore(tables);
    const pool = PoolSpec.parse(spec);
    const services = {
      settings: { ...running.settings, hostname: 'app.example.org' },
      now: () => clock.now,
      engineCa: () => ca,
      machines,
      cloud: {
        ...cloud,
        async poll(operation) {
          await running.idle();
          const progress = await cloud.poll(operation);
          if (operation.kind === 'vm' && progress.status === 'done') await reports(operation.name);
          return progress;
        },
      },
      consoles: consoles(memoryBlobs()),
      ...poolServices({
        tables,
        now: () => clock.now,
        spec: pool,
        region: azureRegion(clients, () => clock.now),
      }),
    } as Partial<Services> as Services;
    let ready: Machine | undefined;
    const reports = async (vm: string) => {
      const name = (await machines.list()).find(({ resources }) => resources.vm === vm)?.name;
      if (name === undefined) return;
      const status = { state: 'ready', since: clock.now.toISOString() } as const;
      ready = await machines.change(name, (machine) => ({ ...machine, status }));
    };
    const ask = async (letters: string) => {
      ready = undefined;
      const machine = MachineName.parse(`default-${letters}`);
      const request = ProvisionMachine.parse({ pool: 'default', machine, spec: pool, cause: 'test' });
      const instanceId = `machine-${machine}`;
      const events = () => (ready === undefined ? {} : { ready });
      const { output } = await runOrchestration(provision, request, {
        activities,
        services,
        clock,
        instanceId,
        events,
      });
      return output as { status: string; machine?: Machine; code?: string; reason?: string };
    };
    const order = (fault: object) =>
      running.call('POST', '/local/faults', { operation: 'vm.create', ...fault });
    const vms = async () =>
      (await cloud.tagged()).filter(({ kind }) => kind === 'vm').map(({ name }) => name);
    return { services, clock, ask, order, vms };
  }

  it('has the next zone, then the next size, asked for, until one is to be had', async () => {
    const { ask, order, vms, services } = await world({
      sizes: ['Standard_D2s_v5', 'Standard_E2s_v5'],
      zones: ['1', '2'],
    });
    await order({ when: 'in-operation', code: 'ZonalAllocationFailed', message: 'no room in zone 1' });
    expect(await ask('bbbbbb')).toMatchObject({
      status: 'ready',
      machine: { size: 'Standard_D2s_v5', zone: '2', priority: 'regular', hourly: 0.115, attempt: 2 },
    });
    // Zone 1 stays blocked for the size, so the next machine is in zone 2 too; where that is refused, another size.
    await order({ when: 'at-once', code: 'SkuNotAvailable', message: 'not now' });
    expect(await ask('cccccc')).toMatchObject({
      status: 'ready',
      machine: { size: 'Standard_E2s_v5', zone: '1' },
    });
    expect(await vms()).toEqual(['default-bbbbbb-2', 'default-cccccc-2']);
    expect((await services.offers.unavailable()).map(({ scope }) => scope)).toMatchObject([
      { kind: 'size', size: 'Standard_D2s_v5', zone: '1', larger: true },
      { kind: 'size', size: 'Standard_D2s_v5', priority: 'regular', larger: false },
    ]);
  });

  it('has regular machines made where spot ones are not to be had', async () => {
    const { ask } = await world({ sizes: ['Standard_B2s', 'Standard_D2s_v5'], spot: 'prefer' });
    // Sizes of the B series are no spot machines: known before Azure is asked.
    expect(await ask('bbbbbb')).toMatchObject({
      machine: { size: 'Standard_B2s', priority: 'regular', attempt: 1 },
    });
    const spot = await world({ sizes: ['Standard_D2s_v5'], spot: 'prefer' });
    await spot.order({ when: 'at-once', code: 'SkuNotAvailable', message: 'no spot capacity' });
    expect(await spot.ask('bbbbbb')).toMatchObject({ machine: { priority: 'regular', attempt: 2 } });
  });

  it('is known beforehand where a quota is used up, and another family is asked for', async () => {
    const { ask, clock } = await world(
      { sizes: ['Standard_D2s_v5', 'Standard_E2s_v5'] },
      { quota: { regionalCores: 4, familyCores: 2 } },
    );
    expect(await ask('bbbbbb')).toMatchObject({ machine: { size: 'Standard_D2s_v5' } });
    clock.now = new Date(clock.now.getTime() + 60_000);
    expect(await ask('cccccc')).toMatchObject({ machine: { size: 'Standard_E2s_v5', attempt: 1 } });
    clock.now = new Date(clock.now.getTime() + 60_000);
    expect(await ask('dddddd')).toMatchObject({
      status: 'failed',
      code: 'no-size-left',
      reason: expect.stringMatching(
        /Standard_D2s_v5: the quota standardDSv5Family has 2 cores, 2 are in use, and it needs 2: ask for more at https:.*Standard_E2s_v5: the quota standardESv5Family/,
      ),
    });
  });

  it('makes the pool rest where the quota of the region is used up, with what to do about it', async () => {
    const { ask, services, vms } = await world(
      { sizes: ['Standard_D2s_v5'] },
      { quota: { regionalCores: 1, familyCores: 10 } },
    );
    // As if somebody else had taken it since the quotas were read.
    services.region.usages = async () => ({ at: services.now(), of: [] });
    expect(await ask('bbbbbb')).toMatchObject({
      status: 'failed',
      code: 'quota-exceeded',
      reason: expect.stringContaining('exceeding approved Total Regional Cores quota'),
    });
    const [failed] = await services.machines.list();
    expect(failed?.status).toMatchObject({
      remedy: expect.stringMatching(
        /^Ask Azure for more of the quota Total Regional in westeurope \(limit 1 cores, 0 in use\), at least 2 cores: https:\/\/portal\.azure\.com\//,
      ),
    });
    expect(await vms()).toEqual([]);
    expect(await ask('cccccc')).toMatchObject({
      code: 'no-size-left',
      reason: expect.stringContaining('Azure refused it, and is not asked again until'),
    });
  });
});
