import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type MemoryMachineRuntime,
  memoryMachineRuntime,
} from '../../../infra/local/machine-runtime/machine-runtime.memory.ts';
import { startTestArm, type TestArm } from '../../support/arm.ts';
import { makeVm, nicBody, nicPath, settled, VNET, vmBody, vmPath, vnetBody } from './resources.ts';

/** A runtime whose calls can be held up, as when the process is killed in the middle of one. */
function holdable() {
  const inner = memoryMachineRuntime();
  const held = new Set<string>();
  let reached = () => {};
  const never = new Promise<never>(() => {});
  const hold = (name: 'create' | 'remove') => {
    held.add(name);
    return new Promise<void>((resolve) => {
      reached = resolve;
    });
  };
  const runtime: MemoryMachineRuntime = {
    ...inner,
    async create(request) {
      if (held.delete('create')) {
        reached();
        await never;
      }
      await inner.create(request);
    },
    async remove(name) {
      if (held.delete('remove')) {
        reached();
        await never;
      }
      await inner.remove(name);
    },
  };
  return { runtime, hold };
}

describe('ARM: after a crash', () => {
  let arm: TestArm;
  const { runtime, hold } = holdable();
  beforeEach(async () => {
    arm = await startTestArm({ runtime });
  });
  afterEach(async () => {
    await arm?.close();
    for (const name of runtime.machines.keys()) await runtime.remove(name);
  });
  const state = async (name: string) =>
    (await arm.call('GET', vmPath(name))).body?.properties?.provisioningState;

  it('goes on with making a VM', async () => {
    await settled(arm, 'PUT', VNET, vnetBody());
    await settled(arm, 'PUT', nicPath('vm-nic'), nicBody());
    const reached = hold('create');
    const { headers } = await arm.call('PUT', vmPath('vm'), vmBody('vm-nic'));
    await reached;
    expect(await state('vm')).toBe('Creating');
    arm = await arm.restart();
    await arm.idle();
    expect(await state('vm')).toBe('Succeeded');
    expect(runtime.machines.get('vm')?.running).toBe(true);
    const poll = new URL(headers.get('azure-asyncoperation')!);
    expect((await arm.call('GET', poll.pathname + poll.search)).body.status).toBe('Succeeded');
  });

  it('goes on with deleting one', async () => {
    await makeVm(arm, 'vm');
    const reached = hold('remove');
    await arm.call('DELETE', vmPath('vm'));
    await reached;
    arm = await arm.restart();
    await arm.idle();
    expect(await state('vm')).toBeUndefined();
    expect(runtime.machines.size).toBe(0);
  });

  it('starts machines that should run, stops those that should not, removes those without a record', async () => {
    await makeVm(arm, 'runs');
    await makeVm(arm, 'off');
    await settled(arm, 'POST', `${vmPath('off')}/deallocate`);
    await runtime.stop('runs');
    await runtime.start('off');
    await runtime.create({ ...runtime.machines.get('runs')!.request, name: 'stranger' });
    arm = await arm.restart();
    await arm.idle();
    expect([...runtime.machines].map(([name, { running }]) => [name, running])).toEqual([
      ['runs', true],
      ['off', false],
    ]);
  });

  it('says of a machine that was removed from outside that it failed', async () => {
    await makeVm(arm, 'vm');
    await runtime.remove('vm');
    arm = await arm.restart();
    await arm.idle();
    expect(await state('vm')).toBe('Failed');
    expect((await settled(arm, 'DELETE', vmPath('vm'))).status).toBe('Succeeded');
  });

  it('keeps what was recorded', async () => {
    await makeVm(arm, 'vm');
    const before = (await arm.call('GET', vmPath('vm'))).body;
    arm = await arm.restart();
    expect((await arm.call('GET', vmPath('vm'))).body).toEqual(before);
  });
});
