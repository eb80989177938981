import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armClients } from '../../shared/machines/arm-clients.azure.ts';
import { azurePublicAccess } from '../../shared/machines/by-hand/public-access.azure.ts';
import { memoryPublicAccess } from '../../shared/machines/by-hand/public-access.memory.ts';
import type { PublicAccess } from '../../shared/machines/by-hand/public-access.ts';
import { azureCloud } from '../../shared/machines/cloud.azure.ts';
import { memoryCloud } from '../../shared/machines/cloud.memory.ts';
import type { Cloud, Progress } from '../../shared/machines/cloud.ts';
import { azurePower } from '../../shared/machines/power.azure.ts';
import { memoryPower } from '../../shared/machines/power.memory.ts';
import type { Power } from '../../shared/machines/power.ts';
import { credential, startTestArm } from '../support/arm.ts';

interface Subject {
  readonly cloud: Cloud;
  readonly access: PublicAccess;
  readonly power: Power;
  stateOf(vm: string): Promise<string | undefined>;
  close(): Promise<void>;
}

const subjects: Record<string, () => Promise<Subject>> = {
  async memory() {
    const access = memoryPublicAccess();
    const power = memoryPower();
    const cloud = memoryCloud(() => new Date(), access.kept);
    return {
      cloud,
      access,
      power,
      stateOf: async (vm) => power.states.get(vm),
      close: async () => {},
    };
  },
  async 'Azure SDK against the local endpoint'() {
    const arm = await startTestArm();
    const clients = armClients(arm.settings, credential);
    const cloud = azureCloud(clients);
    return {
      cloud,
      access: azurePublicAccess(clients),
      power: azurePower(clients),
      stateOf: async (vm) => (await cloud.virtualMachine(vm))?.power,
      close: () => arm.close(),
    };
  },
};

describe.each(Object.entries(subjects))('what a machine by hand has besides: %s', (_name, open) => {
  let subject: Subject;
  beforeEach(async () => {
    subject = await open();
  });
  afterEach(() => subject.close());

  async function end(begun: Promise<Progress>): Promise<Progress> {
    let progress = await begun;
    while (progress.status === 'going')
      progress = await subject.cloud.poll(structuredClone(progress.operation));
    return progress;
  }
  const done = expect.objectContaining({ status: 'done' });
  const admitted = { allowFrom: ['203.0.113.7/32'], openPorts: ['80', '8000-8010', '53/udp'] };

  async function make(): Promise<void> {
    const { access, cloud } = subject;
    expect(await end(cloud.ensureNetwork())).toEqual(done);
    expect(await end(access.createPublicIp({ name: 'm-ip', machine: 'm', dnsLabel: 'box-1' }))).toEqual(done);
    expect(await end(access.putSecurityGroup({ name: 'm-nsg', machine: 'm', ...admitted }))).toEqual(done);
    const nic = { name: 'm-nic', machine: 'm', publicIp: 'm-ip', securityGroup: 'm-nsg' };
    expect(await end(cloud.createNic(nic))).toEqual(done);
    const vm = { name: 'm', nic: 'm-nic', disk: 'm-disk', size: 'Standard_B2s', customData: '', tags: {} };
    const image = 'Debian:debian-13:13-gen2:latest';
    expect(await end(cloud.createVirtualMachine({ ...vm, image }))).toEqual(done);
  }

  it('gives a machine an address and a name, and finds them when asked again', async () => {
    await make();
    expect(await subject.access.publicIp('m-ip')).toEqual({
      address: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
      hostname: 'box-1.westeurope.cloudapp.azure.com',
    });
    expect(await subject.access.createPublicIp({ name: 'm-ip', machine: 'm' })).toEqual(done);
    expect(await subject.access.publicIp('none')).toBeUndefined();
  });

  it('keeps them while the NIC has them, lists them, and deletes them after it', async () => {
    await make();
    const { cloud } = subject;
    const listed = async () => (await cloud.tagged()).map(({ kind, machine }) => `${kind} ${machine}`).sort();
    expect(await listed()).toEqual(['disk m', 'nic m', 'public-ip m', 'security-group m', 'vm m']);
    for (const [kind, name, code] of [
      ['public-ip', 'm-ip', 'PublicIPAddressCannotBeDeleted'],
      ['security-group', 'm-nsg', 'InUseNetworkSecurityGroupCannotBeDeleted'],
    ] as const)
      expect(await end(cloud.deleteResource(kind, name))).toMatchObject({ status: 'refused', code });
    for (const [kind, name] of [
      ['vm', 'm'],
      ['nic', 'm-nic'],
      ['disk', 'm-disk'],
      ['public-ip', 'm-ip'],
      ['security-group', 'm-nsg'],
    ] as const)
      expect(await end(cloud.deleteResource(kind, name))).toEqual(done);
    expect(await listed()).toEqual([]);
  });

  it('changes whom a group admits', async () => {
    await make();
    const changed = { allowFrom: ['198.51.100.0/24', '192.0.2.1/32'], openPorts: [] };
    expect(await end(subject.access.putSecurityGroup({ name: 'm-nsg', machine: 'm', ...changed }))).toEqual(
      done,
    );
  });

  it('fixes a private address where one is asked for', async () => {
    const { cloud } = subject;
    await end(cloud.ensureNetwork());
    await end(cloud.createNic({ name: 'n', machine: 'n', address: '10.77.0.99' }));
    expect(await cloud.nicAddress('n')).toBe('10.77.0.99');
  });

  it('deallocates, starts and restarts', async () => {
    await make();
    const { power, stateOf } = subject;
    expect(await end(power.deallocate('m'))).toEqual(done);
    expect(await stateOf('m')).toBe('deallocated');
    expect(await end(power.start('m'))).toEqual(done);
    expect(await stateOf('m')).toBe('running');
    expect(await end(power.restart('m'))).toEqual(done);
    expect(await stateOf('m')).toBe('running');
  });
});
