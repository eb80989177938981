import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armClients } from '../../shared/machines/arm-clients.azure.ts';
import { azureCloud } from '../../shared/machines/cloud.azure.ts';
import { memoryCloud } from '../../shared/machines/cloud.memory.ts';
import type { Cloud, Progress } from '../../shared/machines/cloud.ts';
import { azureMachineImages } from '../../shared/machines/golden/machine-images.azure.ts';
import { memoryMachineImages } from '../../shared/machines/golden/machine-images.memory.ts';
import type { MachineImages } from '../../shared/machines/golden/machine-images.ts';
import { credential, startTestArm } from '../support/arm.ts';

interface Subject {
  readonly cloud: Cloud;
  readonly images: MachineImages;
  /** The machine shuts itself down. */
  powerOff(vm: string): Promise<void>;
  close(): Promise<void>;
}

const subjects: Record<string, () => Promise<Subject>> = {
  async memory() {
    const off = new Set<string>();
    const made = new Set<string>();
    const cloud = memoryCloud();
    const { createVirtualMachine } = cloud;
    cloud.createVirtualMachine = async (request) => {
      made.add(request.name);
      return await createVirtualMachine(request);
    };
    const power = (vm: string) => (made.has(vm) ? (off.has(vm) ? 'stopped' : 'running') : undefined);
    return {
      cloud,
      images: memoryMachineImages({ power }),
      powerOff: async (vm) => void off.add(vm),
      close: async () => {},
    };
  },
  async 'Azure SDK against the local endpoint'() {
    const arm = await startTestArm();
    const clients = armClients(arm.settings, credential);
    return {
      cloud: azureCloud(clients),
      images: azureMachineImages(clients),
      powerOff: (vm) => arm.runtime.stop(vm),
      close: () => arm.close(),
    };
  },
};

describe.each(Object.entries(subjects))('images of machines: %s', (_name, open) => {
  let subject: Subject;
  let images: MachineImages;
  beforeEach(async () => {
    subject = await open();
    images = subject.images;
    await end(subject.cloud.ensureNetwork());
    await end(subject.cloud.createNic({ name: 'm1-nic', machine: 'm1' }));
    const rest = { size: 'Standard_B2s', image: 'Debian:debian-13:13-gen2:latest', customData: '', tags: {} };
    await end(subject.cloud.createVirtualMachine({ name: 'm1', nic: 'm1-nic', disk: 'm1-disk', ...rest }));
  });
  afterEach(() => subject.close());

  /** Polls to the end; every operation goes through JSON, as through the history of an orchestration. */
  async function end(begun: Promise<Progress>): Promise<Progress> {
    let progress = await begun;
    while (progress.status === 'going')
      progress = await subject.cloud.poll(JSON.parse(JSON.stringify(progress.operation)));
    return progress;
  }
  const capture = (name = 'berth-abc-1') => end(images.capture({ name, vm: 'm1', profile: 'abc' }));

  it('captures a machine that is off, deallocated and generalized', async () => {
    await subject.powerOff('m1');
    expect(await end(images.deallocate('m1'))).toMatchObject({ status: 'done' });
    expect(await end(images.generalize('m1'))).toMatchObject({ status: 'done' });
    expect(await capture()).toMatchObject({ status: 'done' });
    const [image, ...more] = await images.tagged();
    expect(more).toEqual([]);
    expect(image).toMatchObject({ name: 'berth-abc-1', profile: 'abc', id: images.idOf('berth-abc-1') });
    expect(Date.parse(image?.createdAt ?? '')).not.toBeNaN();
  });

  it('does again what was done', async () => {
    await subject.powerOff('m1');
    for (const _again of [1, 2]) {
      expect(await end(images.deallocate('m1'))).toMatchObject({ status: 'done' });
      expect(await end(images.generalize('m1'))).toMatchObject({ status: 'done' });
      expect(await capture()).toMatchObject({ status: 'done' });
    }
    expect(await images.tagged()).toHaveLength(1);
  });

  it('refuses to generalize a machine that runs, and to capture one that is not generalized', async () => {
    expect(await end(images.generalize('m1'))).toMatchObject({ status: 'refused' });
    expect(await capture()).toMatchObject({ status: 'refused', code: 'OperationNotAllowed' });
    expect(await images.tagged()).toEqual([]);
  });

  it('refuses what is not there', async () => {
    expect(await end(images.deallocate('none'))).toMatchObject({ status: 'refused' });
    expect(await end(images.generalize('none'))).toMatchObject({ status: 'refused' });
  });

  it('removes an image, also one that is not there', async () => {
    await subject.powerOff('m1');
    await end(images.deallocate('m1'));
    await end(images.generalize('m1'));
    await capture();
    expect(await end(images.remove('berth-abc-1'))).toMatchObject({ status: 'done' });
    expect(await images.tagged()).toEqual([]);
    expect(await end(images.remove('berth-abc-1'))).toMatchObject({ status: 'done' });
  });
});
