import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armClients } from '../../shared/machines/arm-clients.azure.ts';
import { azureCloud } from '../../shared/machines/cloud.azure.ts';
import { memoryCloud } from '../../shared/machines/cloud.memory.ts';
import type { Cloud, Progress, VirtualMachineRequest } from '../../shared/machines/cloud.ts';
import { credential, startTestArm } from '../support/arm.ts';

interface Subject {
  readonly cloud: Cloud;
  /** Orders that the next creation of a VM ends Failed with this code. */
  fail(code: string): Promise<void>;
  close(): Promise<void>;
}

const subjects: Record<string, () => Promise<Subject>> = {
  async memory() {
    const cloud = memoryCloud();
    return { cloud, fail: async (code) => cloud.failNext(code, 'as ordered'), close: async () => {} };
  },
  async 'Azure SDK against the local endpoint'() {
    const arm = await startTestArm();
    return {
      cloud: azureCloud(armClients(arm.settings, credential)),
      fail: async (code) => {
        await arm.call('POST', '/local/faults', {
          operation: 'vm.create',
          code,
          message: 'as ordered',
          when: 'in-operation',
        });
      },
      close: () => arm.close(),
    };
  },
};

const request = (name: string): VirtualMachineRequest => ({
  name,
  nic: `${name}-nic`,
  disk: `${name}-disk`,
  size: 'Standard_B2s',
  image: 'Debian:debian-13:13-gen2:latest',
  customData: '#cloud-config\n',
  tags: { pool: 'general' },
});

describe.each(Object.entries(subjects))('cloud: %s', (_name, open) => {
  let subject: Subject;
  let cloud: Cloud;
  beforeEach(async () => {
    subject = await open();
    cloud = subject.cloud;
  });
  afterEach(() => subject.close());

  /** Polls to the end; every operation goes through JSON, as through the history of an orchestration. */
  async function end<T>(begun: Promise<Progress<T>>): Promise<Progress> {
    let progress: Progress = await begun;
    while (progress.status === 'going') {
      expect(progress.afterMs).toBeGreaterThan(0);
      expect(progress.operation.state.length).toBeLessThan(4096);
      progress = await cloud.poll(JSON.parse(JSON.stringify(progress.operation)));
    }
    return progress;
  }
  async function make(name: string): Promise<Progress> {
    await end(cloud.ensureNetwork());
    await end(cloud.createNic({ name: `${name}-nic`, machine: name }));
    return end(cloud.createVirtualMachine(request(name)));
  }

  it('makes network, NIC and VM, and finds them again', async () => {
    expect(await end(cloud.ensureNetwork())).toMatchObject({ status: 'done' });
    expect(await end(cloud.ensureNetwork())).toMatchObject({ status: 'done' });
    const nic = await end(cloud.createNic({ name: 'm1-nic', machine: 'm1' }));
    expect(nic).toEqual({
      status: 'done',
      result: { address: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) },
    });
    expect(await cloud.nicAddress('m1-nic')).toBe((nic as { result: { address: string } }).result.address);
    expect(await end(cloud.createVirtualMachine(request('m1')))).toMatchObject({ status: 'done' });
    expect(await cloud.virtualMachine('m1')).toEqual({
      name: 'm1',
      provisioningState: 'Succeeded',
      power: 'running',
    });
  });

  it('finds what is there when a call is repeated', async () => {
    await make('m1');
    const again = await end(cloud.createNic({ name: 'm1-nic', machine: 'm1' }));
    expect(again).toEqual({ status: 'done', result: { address: await cloud.nicAddress('m1-nic') } });
    expect(await end(cloud.createVirtualMachine({ ...request('m1'), customData: 'other' }))).toMatchObject({
      status: 'done',
    });
  });

  it('gives every NIC its own address', async () => {
    await end(cloud.ensureNetwork());
    await end(cloud.createNic({ name: 'a', machine: 'a' }));
    await end(cloud.createNic({ name: 'b', machine: 'b' }));
    expect(await cloud.nicAddress('a')).not.toBe(await cloud.nicAddress('b'));
  });

  it("says with ARM's code why a VM failed, also when asked again", async () => {
    await subject.fail('AllocationFailed');
    expect(await make('m1')).toEqual({ status: 'refused', code: 'AllocationFailed', message: 'as ordered' });
    expect(await cloud.virtualMachine('m1')).toMatchObject({ provisioningState: 'Failed' });
    expect(await end(cloud.createVirtualMachine(request('m1')))).toEqual({
      status: 'refused',
      code: 'AllocationFailed',
      message: 'as ordered',
    });
  });

  it('deletes the VM, and what belongs to it', async () => {
    await make('m1');
    expect(await end(cloud.deleteResource('vm', 'm1'))).toMatchObject({ status: 'done' });
    expect(await cloud.virtualMachine('m1')).toBeUndefined();
    expect(await cloud.tagged()).toEqual([]);
  });

  it('is done at once with deleting what is not there', async () => {
    expect(await cloud.deleteResource('vm', 'none')).toMatchObject({ status: 'done' });
    expect(await cloud.deleteResource('nic', 'none')).toMatchObject({ status: 'done' });
    expect(await cloud.deleteResource('disk', 'none')).toMatchObject({ status: 'done' });
  });

  it('refuses to delete a NIC that a VM uses', async () => {
    await make('m1');
    expect(await end(cloud.deleteResource('nic', 'm1-nic'))).toMatchObject({
      status: 'refused',
      code: 'NicInUse',
    });
  });

  it('refuses a VM without its NIC', async () => {
    await end(cloud.ensureNetwork());
    expect(await end(cloud.createVirtualMachine(request('m1')))).toMatchObject({
      status: 'refused',
      code: 'InvalidResourceReference',
    });
  });

  it('lists what carries our tag', async () => {
    await make('m1');
    const tagged = await cloud.tagged();
    expect(tagged.map(({ kind, name, machine }) => `${kind} ${name} ${machine}`).sort()).toEqual([
      'disk m1-disk m1',
      'nic m1-nic m1',
      'vm m1 m1',
    ]);
    for (const { createdAt } of tagged) expect(Date.parse(createdAt ?? '')).not.toBeNaN();
  });

  it('knows sizes', async () => {
    expect(await cloud.size('Standard_D2s_v5')).toEqual({ cores: 2, memory: 8192 });
    expect(await cloud.size('Standard_Nothing')).toBeUndefined();
  });

  it('reads the console of a machine', async () => {
    await make('m1');
    expect(await cloud.consoleLog('m1')).toContain('m1');
    expect(await cloud.consoleLog('none')).toBeUndefined();
  });

  it('knows nothing of a VM or NIC that was never made', async () => {
    expect(await cloud.virtualMachine('none')).toBeUndefined();
    expect(await cloud.nicAddress('none')).toBeUndefined();
  });
});
