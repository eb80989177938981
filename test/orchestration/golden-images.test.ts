import { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { adopt } from '../../functions/activities/adopt-builder.ts';
import { begin } from '../../functions/activities/begin-retirement.ts';
import { callImage } from '../../functions/activities/call-for-image.ts';
import { nic } from '../../functions/activities/create-nic.ts';
import { create } from '../../functions/activities/create-virtual-machine.ts';
import { remove } from '../../functions/activities/delete-resource.ts';
import { endGolden } from '../../functions/activities/end-golden-image.ts';
import { network } from '../../functions/activities/ensure-network.ts';
import { fail } from '../../functions/activities/fail-machine.ts';
import { forget } from '../../functions/activities/forget-machine.ts';
import { lookBuilder } from '../../functions/activities/look-at-builder.ts';
import { noteRefused } from '../../functions/activities/note-refusal.ts';
import { note } from '../../functions/activities/note-removed.ts';
import { poll } from '../../functions/activities/poll-operation.ts';
import { recordGolden } from '../../functions/activities/record-golden-image.ts';
import { record } from '../../functions/activities/record-machine.ts';
import { buildGolden } from '../../functions/orchestrators/build-golden-image.ts';
import { provision } from '../../functions/orchestrators/provision-machine.ts';
import { retire } from '../../functions/orchestrators/retire-machine.ts';
import type { Services } from '../../functions/services.ts';
import { sweepGoldenImages } from '../../functions/timers/sweep-golden-images.ts';
import { ensureEngineCa } from '../../shared/certificates/engine-ca.ts';
import { memoryCloud } from '../../shared/machines/cloud.memory.ts';
import type { VirtualMachineRequest } from '../../shared/machines/cloud.ts';
import { consoles } from '../../shared/machines/consoles.ts';
import { BuildGoldenImage } from '../../shared/machines/golden/golden-activities.ts';
import { goldenStore } from '../../shared/machines/golden/golden-store.ts';
import { memoryMachineImages } from '../../shared/machines/golden/machine-images.memory.ts';
import { profileOf } from '../../shared/machines/golden/profile.ts';
import { machineStore } from '../../shared/machines/machine-store.ts';
import { ProvisionMachine } from '../../shared/machines/provisioning.ts';
import { PoolSpec } from '../../shared/model/pool.ts';
import { Secret } from '../../shared/secrets/secret.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { stores } from '../../shared/workloads/stores.ts';
import { poolServices } from '../support/pools.ts';
import { runOrchestration } from '../support/run-orchestration.ts';

const activities = [
  ...[adopt, begin, callImage, create, endGolden, fail, forget, lookBuilder, network, nic, note, noteRefused],
  ...[poll, record, recordGolden, remove],
] as unknown as Activity<never, unknown>[];
const base = 'Debian:debian-13:13-gen2:latest';
const profile = profileOf({ image: base });

/** Machines that become images are clean after a minute, unless `ends` says otherwise. */
function world(ends: 'clean' | 'unfit' | 'silent' = 'clean') {
  const clock = { now: new Date('2026-11-25T00:00:40Z') };
  const tables = memoryTables();
  const cloud = memoryCloud(() => clock.now);
  const vms = new Map<string, VirtualMachineRequest & { readonly at: number }>();
  const { createVirtualMachine, virtualMachine } = cloud;
  cloud.createVirtualMachine = async (request) => {
    vms.set(request.name, { ...request, at: clock.now.getTime() });
    return await createVirtualMachine(request);
  };
  const isDone = (vm: string): boolean => clock.now.getTime() - (vms.get(vm)?.at ?? 0) > 60_000;
  cloud.virtualMachine = async (name) => {
    const view = await virtualMachine(name);
    return view && isDone(name) && ends !== 'unfit' ? { ...view, power: 'stopped' } : view;
  };
  cloud.consoleLog = async (name) => {
    if (!isDone(name) || ends === 'silent') return 'booting\n';
    return ends === 'clean'
      ? 'berth: this machine is clean and becomes an image\n'
      : 'berth: this machine cannot become an image: there is no Docker engine\n';
  };
  const machineImages = memoryMachineImages({
    now: () => clock.now,
    power: (vm) => (vms.has(vm) ? (isDone(vm) ? 'stopped' : 'running') : undefined),
  });
  const secrets = blobSecrets(memoryBlobs(), {
    current: new Secret(Buffer.alloc(32, 1).toString('base64')),
    previous: undefined,
  });
  const ca = ensureEngineCa(secrets);
  const services = {
    settings: {
      ...{ subscription: 's', resourceGroup: 'g', hostname: 'app.example.org', network: '10.20.0.0/16' },
    },
    now: () => clock.now,
    engineCa: () => ca,
    machines: machineStore(tables),
    stores: stores(tables),
    consoles: consoles(memoryBlobs()),
    ...poolServices({ tables, now: () => clock.now }),
    golden: goldenStore(tables),
    machineImages,
    cloud,
  } as unknown as Services;
  const started: { instanceId: string; input: BuildGoldenImage }[] = [];
  const client = {
    getStatus: async () => {
      throw new Error('HTTP 404');
    },
    startNew: async (_name: string, how: { instanceId: string; input: unknown }) =>
      void started.push({ instanceId: how.instanceId, input: BuildGoldenImage.parse(how.input) }),
  } as unknown as DurableClient;
  const sweep = () => sweepGoldenImages(services, client, new InvocationContext());
  const orchestration = { activities, services, clock };
  /** Runs what the sweep started, and the orchestrations that it calls. */
  const build = async () => {
    const next = started.shift();
    if (next === undefined) throw new Error('nothing was started');
    return await runOrchestration(buildGolden, next.input, {
      ...orchestration,
      instanceId: next.instanceId,
      called: async (name, input, instanceId) => {
        const how = { ...orchestration, instanceId };
        return name === 'provision-machine'
          ? (await runOrchestration(provision, input as never, how)).output
          : (await runOrchestration(retire, input as never, how)).output;
      },
    });
  };
  const later = (seconds: number) => {
    clock.now = new Date(clock.now.getTime() + seconds * 1000);
  };
  const pool = async (changes: object) =>
    void (await services.stores.pools.upsert('pool', 'fast', PoolSpec.parse({ golden: true, ...changes })));
  return { clock, cloud, vms, services, machineImages, started, sweep, build, later, pool, orchestration };
}

describe('building a golden image', () => {
  it('makes a machine, captures it once it is clean and off, and removes it', async () => {
    const made = world();
    await made.pool({ sizes: ['Standard_D2s_v5'] });
    await made.sweep();
    const { output, asked } = await made.build();
    expect(output).toEqual({ status: 'ready' });
    expect(asked.map(({ name }) => name).filter((name) => name !== 'poll-operation')).toEqual([
      ...['record-golden-image', 'provision-machine', 'adopt-builder'],
      ...['call-for-image', 'call-for-image', 'call-for-image', 'end-golden-image', 'retire-machine'],
    ]);
    const [image] = await made.machineImages.tagged();
    const golden = await made.services.golden.get(profile);
    expect(golden).toMatchObject({ base, name: image?.name, status: { state: 'ready', id: image?.id } });
    expect(await made.cloud.tagged()).toEqual([]);
    expect(await made.services.machines.list()).toEqual([]);
    const [builder] = made.vms.values();
    expect(builder).toMatchObject({ size: 'Standard_D2s_v5', image: base });
    expect(builder?.customData).toContain('become-image');
    await made.sweep();
    expect(made.started).toEqual([]);
  });

  it('lets machines of the pool boot from it from then on, with customData that installs nothing', async () => {
    const made = world();
    await made.pool({});
    await made.sweep();
    await made.build();
    const id = (await made.machineImages.tagged())[0]?.id;
    const request = ProvisionMachine.parse({
      ...{ pool: 'fast', machine: 'fast-k3x9bc', cause: 'test', spec: { golden: true } },
    });
    await runOrchestration(provision, request, {
      ...{ ...made.orchestration, instanceId: 'machine-fast-k3x9bc', events: () => ({}) },
    });
    expect(made.vms.get('fast-k3x9bc')).toMatchObject({ image: id });
    expect(made.vms.get('fast-k3x9bc')?.customData).not.toContain('packages');
  });

  it('falls back to the marketplace image where Azure has lost the golden one', async () => {
    const made = world();
    await made.pool({});
    await made.sweep();
    await made.build();
    const { createVirtualMachine } = made.cloud;
    made.cloud.createVirtualMachine = async (request) =>
      request.image.startsWith('/')
        ? { status: 'refused', code: 'InvalidResourceReference', message: request.image }
        : await createVirtualMachine(request);
    const request = ProvisionMachine.parse({
      ...{ pool: 'fast', machine: 'fast-k3x9bc', cause: 'test', spec: { golden: true } },
    });
    await runOrchestration(provision, request, {
      ...{ ...made.orchestration, instanceId: 'machine-fast-k3x9bc', events: () => ({}) },
    });
    expect(made.vms.get('fast-k3x9bc')).toMatchObject({ image: base });
    expect(made.vms.get('fast-k3x9bc')?.customData).toContain('packages');
  });

  it('fails with what the machine said, leaves nothing, and is tried again after a while', async () => {
    const made = world('unfit');
    await made.pool({});
    await made.sweep();
    const { output } = await made.build();
    expect(output).toMatchObject({ status: 'failed', code: 'builder-unfit' });
    const status = (await made.services.golden.get(profile))?.status;
    expect(status).toMatchObject({ reason: expect.stringContaining('there is no Docker engine') });
    expect(await made.cloud.tagged()).toEqual([]);
    await made.sweep();
    expect(made.started).toEqual([]);
    made.later(61);
    await made.sweep();
    expect(made.started).toMatchObject([{ input: { attempt: 2 } }]);
  });

  it('takes no image of a machine that lost its power before it was clean', async () => {
    const made = world('silent');
    await made.pool({});
    await made.sweep();
    expect((await made.build()).output).toMatchObject({ status: 'failed', code: 'builder-stopped' });
    expect(await made.machineImages.tagged()).toEqual([]);
  });

  it('fails with Azure’s words when it captures nothing', async () => {
    const made = world();
    made.machineImages.failNext('OperationNotAllowed', 'Trusted Launch machines have no managed images');
    await made.pool({});
    await made.sweep();
    const { output } = await made.build();
    expect(output).toMatchObject({ status: 'failed', reason: expect.stringContaining('Trusted Launch') });
    expect(await made.cloud.tagged()).toEqual([]);
    expect(await made.services.machines.list()).toEqual([]);
  });

  it('happens once, also when two sweeps start it', async () => {
    const made = world();
    await made.pool({});
    await made.sweep();
    await made.sweep();
    expect(made.started).toHaveLength(2);
    expect((await made.build()).output).toEqual({ status: 'ready' });
    expect((await made.build()).output).toMatchObject({ status: 'failed', code: 'superseded' });
    expect(made.vms.size).toBe(1);
  });
});

describe('the sweep of golden images', () => {
  it('renews the image when the profile changes, and removes the old one after its machines', async () => {
    const made = world();
    await made.pool({});
    await made.sweep();
    await made.build();
    const [old] = await made.machineImages.tagged();
    await made.pool({ image: 'Debian:debian-12:12-gen2:latest' });
    await made.sweep();
    expect((await made.build()).output).toEqual({ status: 'ready' });
    expect((await made.services.golden.get(profile))?.status).toMatchObject({ state: 'leaving' });
    made.later(601);
    await made.sweep();
    const left = await made.machineImages.tagged();
    expect(left.map(({ name }) => name)).not.toContain(old?.name);
    expect(left).toHaveLength(1);
    await made.sweep();
    expect(await made.services.golden.list()).toHaveLength(1);
  });

  it('asks ARM of nothing where no pool wants an image', async () => {
    const made = world();
    made.machineImages.tagged = async () => {
      throw new Error('asked');
    };
    made.later(120);
    await made.sweep();
    await made.pool({ golden: false });
    made.later(60);
    await made.sweep();
  });
});
