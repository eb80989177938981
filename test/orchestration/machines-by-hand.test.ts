import { describe, expect, it } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { ask } from '../../functions/activities/ask-for-power.ts';
import { change as putGroup } from '../../functions/activities/change-security-group.ts';
import { note } from '../../functions/activities/note-power.ts';
import { admit } from '../../functions/orchestrators/admit-callers.ts';
import { change } from '../../functions/orchestrators/change-power.ts';
import { provision } from '../../functions/orchestrators/provision-machine.ts';
import { retire } from '../../functions/orchestrators/retire-machine.ts';
import type { Services } from '../../functions/services.ts';
import { ensureEngineCa } from '../../shared/certificates/engine-ca.ts';
import { customDataSecret } from '../../shared/machines/by-hand/custom-data-secret.ts';
import { handMade } from '../../shared/machines/by-hand/hand-made-record.ts';
import { beginPower, type PowerAction } from '../../shared/machines/by-hand/power-change.ts';
import { memoryPublicAccess } from '../../shared/machines/by-hand/public-access.memory.ts';
import { memoryCloud } from '../../shared/machines/cloud.memory.ts';
import type { Progress, VirtualMachineRequest } from '../../shared/machines/cloud.ts';
import { consoles } from '../../shared/machines/consoles.ts';
import { machineStore } from '../../shared/machines/machine-store.ts';
import { memoryPower } from '../../shared/machines/power.memory.ts';
import { ProvisionMachine } from '../../shared/machines/provisioning.ts';
import { Retryable } from '../../shared/model/errors.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { MachineName, PoolName } from '../../shared/model/names.ts';
import { NewMachine } from '../../shared/model/new-machine.ts';
import { Secret } from '../../shared/secrets/secret.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { machineActivities } from '../support/machine-activities.ts';
import { poolServices } from '../support/pools.ts';
import { runOrchestration } from '../support/run-orchestration.ts';

const activities = [...machineActivities, ask, note, putGroup] as unknown as Activity<never, unknown>[];
const name = MachineName.parse('box');
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOhfpJWpE2I2knxLydgkAcSNdH/jfTZmSpfyB0l20N1I';

async function world(request: object = {}) {
  const clock = { now: new Date('2026-11-25T00:00:00Z') };
  const tables = memoryTables();
  const access = memoryPublicAccess(() => clock.now);
  const cloud = memoryCloud(() => clock.now, access.kept);
  const power = memoryPower();
  const secrets = blobSecrets(memoryBlobs(), {
    current: new Secret(Buffer.alloc(32, 1).toString('base64')),
    previous: undefined,
  });
  const ca = ensureEngineCa(secrets);
  const place = { subscription: 's', resourceGroup: 'g' };
  const services = {
    settings: {
      ...place,
      hostname: 'app.example.org',
      network: '10.20.0.0/16',
      appNetwork: '10.20.255.0/24',
    },
    now: () => clock.now,
    engineCa: () => ca,
    secrets,
    machines: machineStore(tables),
    cloud,
    power,
    publicAccess: access,
    consoles: consoles(memoryBlobs()),
    ...poolServices({ tables, now: () => clock.now }),
  } as unknown as Services;
  const asked = NewMachine.parse({ name, sshKeys: [key], dnsLabel: 'my-box', ...request });
  const record = handMade(
    {
      ...place,
      now: clock.now,
      request: asked,
      size: {
        name: 'Standard_B2s',
        family: 'standardBSFamily',
        cores: 2,
        memory: 4096,
        zones: [],
        spot: true,
      },
      allowFrom: ['203.0.113.7/32'],
      subnet: undefined,
      hourly: undefined,
      key: undefined,
      by: 'admin',
    },
    () => 0,
  );
  await services.machines.add(record);
  if (asked.customData !== undefined)
    await secrets.seal(customDataSecret(name), new TextEncoder().encode(asked.customData));
  const requests: VirtualMachineRequest[] = [];
  const { createVirtualMachine, poll } = cloud;
  cloud.createVirtualMachine = async (vm) => {
    requests.push(vm);
    return await createVirtualMachine(vm);
  };
  let ready: Machine | undefined;
  const report = async () => {
    const status = { state: 'ready', since: clock.now.toISOString() } as const;
    ready = await services.machines.change(name, (current) => ({ ...current, status }));
  };
  cloud.poll = async (operation) => {
    const progress = await poll(operation);
    if (operation.kind === 'vm' && progress.status === 'done') await report();
    return progress;
  };
  const events = () => (ready === undefined ? {} : { ready });
  const run = { activities, services, clock, events };
  return {
    ...{ clock, services, cloud, access, power, record, requests, report },
    provision: () =>
      runOrchestration(
        provision,
        ProvisionMachine.parse({
          pool: 'by-hand',
          machine: name,
          spec: { sizes: ['Standard_B2s'] },
          cause: 'test',
        }),
        { ...run, instanceId: record.owner },
      ),
    changePower: async (action: PowerAction) => {
      await services.machines.change(name, (machine) => beginPower(machine, action, 'power-1', clock.now));
      return await runOrchestration(change, { machine: name, action }, { ...run, instanceId: 'power-1' });
    },
    admit: () => runOrchestration(admit, { machine: name }, { ...run, instanceId: 'admission-1' }),
    remove: () =>
      runOrchestration(
        retire,
        { pool: PoolName.parse('by-hand'), machine: name, reason: 'test' },
        { ...run, instanceId: 'retire-box' },
      ),
    tagged: async () => (await cloud.tagged()).map(({ kind, machine }) => `${kind} ${machine}`).sort(),
  };
}

const ALL = ['disk box', 'nic box', 'public-ip box', 'security-group box', 'vm box'];

describe('making a machine by hand', () => {
  it('makes what admits its user before the NIC, and records where it is reached before the VM', async () => {
    const made = await world();
    const { output, asked } = await made.provision();
    expect(output).toMatchObject({
      status: 'ready',
      machine: {
        address: '10.20.0.4',
        publicAddress: '203.0.113.1',
        hostname: 'my-box.westeurope.cloudapp.azure.com',
      },
    });
    expect(asked.map((one) => one.name).filter((one) => one !== 'poll-operation')).toEqual([
      'record-machine',
      'ensure-network',
      'create-security-group',
      'create-public-ip',
      'create-nic',
      'create-virtual-machine',
    ]);
    expect(await made.tagged()).toEqual(ALL);
    expect(made.requests[0]).toMatchObject({
      name: 'box-bbbbbb',
      admin: { user: 'berth', sshKeys: [key] },
      tags: { 'berth-machine': 'box', 'berth-pool': 'by-hand' },
    });
  });

  it('has neither public address nor key where none is wanted, but zone, spot, tags, address and the data of its user', async () => {
    const made = await world({
      publicAddress: false,
      dnsLabel: undefined,
      sshKeys: [],
      zone: '2',
      priority: 'spot',
      address: '10.20.0.77',
      tags: { team: 'a' },
      customData: '#!/bin/sh\necho mine\n',
    });
    expect((await made.provision()).output.status).toBe('ready');
    expect(await made.tagged()).toEqual(ALL.filter((one) => one !== 'public-ip box'));
    expect(made.requests[0]).toMatchObject({ zone: '2', priority: 'spot', tags: { team: 'a' } });
    expect(made.requests[0]?.admin).toBeUndefined();
    expect(made.requests[0]?.customData).toContain('echo mine');
    expect((await made.services.machines.get(name))?.address).toBe('10.20.0.77');
  });

  it.each([
    ['createPublicIp', 'access'],
    ['putSecurityGroup', 'access'],
    ['createNic', 'cloud'],
    ['createVirtualMachine', 'cloud'],
  ] as const)('leaves nothing where %s is refused, and says what was', async (call, where) => {
    const made = await world();
    const refused = async (): Promise<Progress<never>> => ({
      status: 'refused',
      code: 'InvalidParameter',
      message: 'as ordered',
    });
    Object.assign(made[where], { [call]: refused });
    const { output } = await made.provision();
    expect(output).toMatchObject({ status: 'failed', code: 'cloud-refused' });
    expect(output).toMatchObject({ reason: expect.stringContaining('InvalidParameter: as ordered') });
    expect(await made.tagged()).toEqual([]);
    expect(await made.services.machines.get(name)).toMatchObject({
      status: { state: 'failed' },
      leftovers: [],
    });
  });

  it('is not made without the data of its user, and says so', async () => {
    const made = await world({ customData: '#!/bin/sh\necho mine\n' });
    await made.services.secrets.remove(customDataSecret(name));
    const { output } = await made.provision();
    expect(output).toMatchObject({ status: 'failed', reason: expect.stringContaining('cloud-init data') });
    expect(made.requests).toEqual([]);
    expect(await made.tagged()).toEqual([]);
  });

  it('is asked for once more after it has registered, and forgotten that data', async () => {
    const made = await world({ customData: '#!/bin/sh\necho mine\n' });
    const { createVirtualMachine } = made.cloud;
    let asked = 0;
    made.cloud.createVirtualMachine = async (request) => {
      const progress = await createVirtualMachine(request);
      asked += 1;
      if (asked > 1) {
        await made.report();
        return progress;
      }
      await made.services.secrets.remove(customDataSecret(name));
      throw new Retryable({ code: 'arm-unavailable', message: 'no answer', remedy: 'again' });
    };
    expect((await made.provision()).output).toMatchObject({ status: 'ready' });
    expect(asked).toBe(2);
    expect(await made.tagged()).toEqual(ALL);
  });

  it('is tried in no other size; where Azure has none of it, all is removed', async () => {
    const made = await world();
    made.cloud.failNext('AllocationFailed', 'no capacity');
    const { output } = await made.provision();
    expect(output).toMatchObject({ status: 'failed', code: 'size-unavailable' });
    expect(made.requests).toHaveLength(1);
    expect(await made.tagged()).toEqual([]);
  });

  it('leaves nothing when it is removed, nor where it is removed again', async () => {
    const made = await world();
    await made.provision();
    expect((await made.remove()).output).toEqual({ status: 'retired' });
    expect(await made.tagged()).toEqual([]);
    expect(await made.services.machines.get(name)).toBeUndefined();
    expect((await made.remove()).output).toEqual({ status: 'retired' });
  });
});

describe('the power of a machine by hand', () => {
  it('is taken away, given back with the same addresses once it has reported, and taken for a moment', async () => {
    const made = await world();
    await made.provision();
    const before = await made.services.machines.get(name);
    expect((await made.changePower('stop')).output).toEqual({ status: 'done' });
    expect(made.power.states.get('box-bbbbbb')).toBe('deallocated');
    expect((await made.services.machines.get(name))?.status.state).toBe('stopped');

    expect((await made.changePower('start')).output).toEqual({ status: 'done' });
    expect(made.power.states.get('box-bbbbbb')).toBe('running');
    expect(await made.services.machines.get(name)).toMatchObject({
      status: { state: 'starting' },
      address: before?.address,
      publicAddress: before?.publicAddress,
    });
    await made.report();
    expect((await made.changePower('restart')).output).toEqual({ status: 'done' });
  });

  it('that ARM refuses leaves the machine to its reports', async () => {
    const made = await world();
    await made.provision();
    made.power.deallocate = async () => ({ status: 'refused', code: 'InvalidParameter', message: 'no' });
    expect((await made.changePower('stop')).output).toMatchObject({
      status: 'failed',
      code: 'cloud-refused',
    });
    expect((await made.services.machines.get(name))?.status.state).toBe('silent');
  });

  it('changes nothing of a machine that something else was asked of meanwhile', async () => {
    const made = await world();
    await made.provision();
    const deallocate = made.power.deallocate;
    made.power.deallocate = async (vm) => {
      const since = made.clock.now.toISOString();
      await made.services.machines.change(name, (machine) => ({
        ...machine,
        owner: 'retire-box-bbbbbb',
        status: { state: 'retiring', since, reason: 'test' },
      }));
      return await deallocate(vm);
    };
    await made.changePower('stop');
    expect((await made.services.machines.get(name))?.status.state).toBe('retiring');
  });
});

describe('whom a machine by hand admits', () => {
  const sources = (made: Awaited<ReturnType<typeof world>>) =>
    made.access.kept.get('box-bbbbbb-nsg')?.rules?.find((rule) => rule.name === 'AllowUser')?.sources;

  it('changes with its record', async () => {
    const made = await world();
    await made.provision();
    expect(sources(made)).toEqual(['203.0.113.7/32']);
    await made.services.machines.change(name, (machine) =>
      machine.hand === undefined
        ? undefined
        : { ...machine, hand: { ...machine.hand, allowFrom: ['198.51.100.0/24'] } },
    );
    expect((await made.admit()).output).toEqual({ status: 'done' });
    expect(sources(made)).toEqual(['198.51.100.0/24']);
  });

  it('puts no group for a machine that is going', async () => {
    const made = await world();
    await made.provision();
    await made.remove();
    expect((await made.admit()).output).toEqual({ status: 'done' });
    expect(await made.tagged()).toEqual([]);
  });
});
