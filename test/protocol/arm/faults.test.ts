import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryMachineRuntime } from '../../../infra/local/machine-runtime/machine-runtime.memory.ts';
import { startTestArm, type TestArm } from '../../support/arm.ts';
import { makeVm, nicBody, nicPath, settled, VNET, vmBody, vmPath, vnetBody } from './resources.ts';

describe('ARM: ordered failures', () => {
  let arm: TestArm;
  let clock: Date;
  beforeEach(async () => {
    clock = new Date('2026-01-01T00:00:00Z');
    arm = await startTestArm({ now: () => clock });
  });
  afterEach(() => arm?.close());
  const order = (fault: object) => arm.call('POST', '/local/faults', fault);

  it.each(['SkuNotAvailable', 'QuotaExceeded', 'OperationNotAllowed'])(
    'refuse a VM at once: %s',
    async (code) => {
      await order({ operation: 'vm.create', code, when: 'at-once' });
      expect(await makeVm(arm, 'vm')).toMatchObject({ first: { status: 409 }, error: { code } });
      expect((await arm.call('GET', vmPath('vm'))).status).toBe(404);
      expect((await settled(arm, 'PUT', vmPath('vm'), vmBody('vm-nic'))).status).toBe('Succeeded');
    },
  );

  it('let a VM fail inside its operation: the poll says it with 200, the VM stays and is Failed', async () => {
    await order({
      operation: 'vm.create',
      code: 'ZonalAllocationFailed',
      message: 'no room',
      when: 'in-operation',
    });
    expect(await makeVm(arm, 'vm')).toMatchObject({
      first: { status: 201 },
      status: 'Failed',
      error: { code: 'ZonalAllocationFailed', message: 'no room' },
    });
    const { body } = await arm.call('GET', `${vmPath('vm')}?$expand=instanceView`);
    expect(body.properties.provisioningState).toBe('Failed');
    expect(body.properties.instanceView.statuses[0].code).toBe(
      'ProvisioningState/failed/ZonalAllocationFailed',
    );
    expect((arm.runtime as MemoryMachineRuntime).machines.size).toBe(0);
    expect((await settled(arm, 'DELETE', vmPath('vm'))).status).toBe('Succeeded');
    expect((await arm.call('GET', nicPath('vm-nic'))).status).toBe(404);
  });

  it('keep the NIC for a VM that was refused for want of capacity, for 180 s', async () => {
    await order({ operation: 'vm.create', code: 'AllocationFailed', when: 'at-once' });
    expect((await makeVm(arm, 'a')).error.code).toBe('AllocationFailed');
    expect((await settled(arm, 'DELETE', nicPath('a-nic'))).error.code).toBe('NicReservedForAnotherVm');
    expect((await settled(arm, 'PUT', vmPath('b'), vmBody('a-nic'))).error.code).toBe(
      'NicReservedForAnotherVm',
    );
    clock = new Date(clock.getTime() + 180_000);
    expect((await settled(arm, 'DELETE', nicPath('a-nic'))).status).toBe('Succeeded');
  });

  it('lose the answer after everything was done', async () => {
    await order({ operation: 'vm.create', when: 'after-commit-reply-lost' });
    await expect(makeVm(arm, 'vm')).rejects.toThrow();
    await arm.idle();
    expect((await arm.call('GET', vmPath('vm'))).body.properties.provisioningState).toBe('Succeeded');
  });

  it('hit as often as ordered, only the resource that is named, and can be taken back', async () => {
    await order({
      operation: 'nic.create',
      code: 'InternalServerError',
      when: 'at-once',
      times: 2,
      name: 'x-nic',
    });
    expect((await makeVm(arm, 'vm')).status).toBe('Succeeded');
    const put = () =>
      settled(arm, 'PUT', nicPath('x-nic'), { location: 'westeurope', properties: { ipConfigurations: [] } });
    expect((await put()).first.status).toBe(500);
    expect((await arm.call('GET', '/local/faults')).body.value).toMatchObject([{ remaining: 1 }]);
    await arm.call('DELETE', '/local/faults');
    expect((await put()).first.status).toBe(400);
  });

  it('make an operation slow, and deletion wins over it', async () => {
    await settled(arm, 'PUT', VNET, vnetBody());
    await settled(arm, 'PUT', nicPath('vm-nic'), nicBody());
    await order({ operation: 'vm.create', when: 'in-operation', delayMs: 3_600_000 });
    expect((await arm.call('PUT', vmPath('vm'), vmBody('vm-nic'))).status).toBe(201);
    expect((await arm.call('GET', vmPath('vm'))).body.properties.provisioningState).toBe('Creating');
    expect((await arm.call('POST', `${vmPath('vm')}/powerOff`)).body.error.code).toBe('Conflict');
    expect((await settled(arm, 'DELETE', vmPath('vm'))).status).toBe('Succeeded');
    expect((await arm.call('GET', vmPath('vm'))).status).toBe(404);
    expect((arm.runtime as MemoryMachineRuntime).machines.size).toBe(0);
  });

  it.each([
    { operation: 'vm', when: 'at-once' },
    { operation: 'vm.create' },
    { operation: 'vm.create', when: 'at-once' },
    {},
  ])('refuse a malformed order %j', async (fault) => {
    expect((await order(fault)).status).toBe(400);
  });
});
