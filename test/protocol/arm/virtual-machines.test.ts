import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryMachineRuntime } from '../../../infra/local/machine-runtime/machine-runtime.memory.ts';
import { SUBSCRIPTION, startTestArm, type TestArm } from '../../support/arm.ts';
import {
  compute,
  group,
  IP,
  makeVm,
  nicBody,
  nicPath,
  settled,
  VNET,
  vmBody,
  vmPath,
  vnetBody,
} from './resources.ts';

describe('ARM: virtual machines', () => {
  let arm: TestArm;
  let runtime: MemoryMachineRuntime;
  beforeEach(async () => {
    arm = await startTestArm({ quota: { regionalCores: 8, familyCores: 6 } });
    runtime = arm.runtime as MemoryMachineRuntime;
  });
  afterEach(() => arm?.close());
  const get = async (path: string) => (await arm.call('GET', path)).body;
  const power = async (name: string): Promise<string[]> =>
    (await get(`${vmPath(name)}/instanceView`)).statuses.map(({ code }: { code: string }) => code);

  it('are made by a long-running operation, and give the runtime what it needs', async () => {
    await settled(arm, 'PUT', VNET, vnetBody());
    await settled(arm, 'PUT', nicPath('vm-nic'), nicBody());
    const first = await arm.call(
      'PUT',
      vmPath('vm'),
      vmBody('vm-nic', { top: { identity: { type: 'SystemAssigned' }, tags: { a: 'b' } } }),
    );
    expect(first).toMatchObject({ status: 201, body: { properties: { provisioningState: 'Creating' } } });
    for (const header of ['azure-asyncoperation', 'location'])
      expect(first.headers.get(header)).toContain(
        `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/`,
      );
    expect(first.headers.get('retry-after')).toMatch(/^\d+$/);
    await arm.idle();
    const vm = await get(vmPath('vm'));
    expect(vm).toMatchObject({
      identity: { type: 'SystemAssigned', principalId: expect.any(String) },
      tags: { a: 'b' },
      properties: { provisioningState: 'Succeeded' },
    });
    expect(JSON.stringify(vm)).not.toContain('customData');
    expect(runtime.machines.get('vm')!.request).toMatchObject({
      address: '10.77.0.4',
      cores: 2,
      memory: 4096,
      image: { kind: 'marketplace', reference: 'Debian:debian-12:12-gen2:latest' },
      customData: Buffer.from('#cloud-config\n').toString('base64'),
      adminUser: 'berth',
    });
    expect(await power('vm')).toEqual(['ProvisioningState/succeeded', 'PowerState/running']);
    expect((await get(nicPath('vm-nic'))).properties.virtualMachine.id).toBe(vmPath('vm'));
  });

  it('are described to their metadata service', async () => {
    await makeVm(arm, 'vm', { top: { identity: { type: 'SystemAssigned' } } });
    const principalId = (await get(vmPath('vm'))).identity.principalId;
    expect(await arm.metadataDirectory.byAddress('10.77.0.4')).toMatchObject({
      resourceId: vmPath('vm'),
      name: 'vm',
      principalId,
      vmSize: 'Standard_B2s',
    });
    expect(await arm.metadataDirectory.byAddress('10.77.0.9')).toBeUndefined();
  });

  it('start, stop and are deallocated', async () => {
    await makeVm(arm, 'vm');
    for (const [verb, state] of [
      ['powerOff', 'stopped'],
      ['start', 'running'],
      ['deallocate', 'deallocated'],
      ['start', 'running'],
      ['restart', 'running'],
    ]) {
      const { first, status } = await settled(arm, 'POST', `${vmPath('vm')}/${verb}`);
      expect([verb, first.status, status]).toEqual([verb, 202, 'Succeeded']);
      expect(await power('vm')).toContain(`PowerState/${state}`);
    }
  });

  it('change their tags', async () => {
    await makeVm(arm, 'vm');
    expect((await settled(arm, 'PATCH', vmPath('vm'), { tags: { x: 'y' } })).status).toBe('Succeeded');
    expect((await get(vmPath('vm'))).tags).toEqual({ x: 'y' });
  });

  it.each([
    ['customData', { os: { customData: 'AAAA' } }, '409 PropertyChangeNotAllowed'],
    [
      'the administrator',
      { os: { adminUsername: 'other', linuxConfiguration: undefined, adminPassword: 'x' } },
      '409 PropertyChangeNotAllowed',
    ],
    ['the size', { size: 'Standard_B1s' }, '409 OperationNotAllowed'],
    ['nothing', {}, '200 undefined'],
  ])('refuse a PUT that changes what is fixed: %s', async (_what, more, expected) => {
    await makeVm(arm, 'vm');
    const { first, error } = await settled(arm, 'PUT', vmPath('vm'), vmBody('vm-nic', more));
    expect(`${first.status} ${error?.code}`).toBe(expected);
  });

  it('refuse If-None-Match: * where they exist', async () => {
    await makeVm(arm, 'vm');
    expect((await arm.call('PUT', vmPath('vm'), vmBody('vm-nic'), { 'if-none-match': '*' })).status).toBe(
      412,
    );
  });

  it.each([
    ['customData that is no base64', { os: { customData: '#cloud-config' } }, 'InvalidParameter'],
    [
      'customData above 65,535 bytes',
      { os: { customData: Buffer.alloc(65_536).toString('base64') } },
      'InvalidParameter',
    ],
    ['an unknown size', { size: 'Standard_Nothing' }, 'InvalidParameter'],
    [
      'neither password nor key',
      { os: { linuxConfiguration: { disablePasswordAuthentication: true } } },
      'InvalidParameter',
    ],
    ['a forbidden administrator', { os: { adminUsername: 'root' } }, 'InvalidParameter'],
    ['no NIC', { properties: { networkProfile: { networkInterfaces: [] } } }, 'InvalidParameter'],
    ['a body that Azure cannot read', { properties: { hardwareProfile: 'big' } }, 'InvalidRequestContent'],
  ])('refuse %s, and leave nothing', async (_what, more, code) => {
    expect((await makeVm(arm, 'vm', more)).error?.code).toBe(code);
    expect((await get(`${group}/resources`)).value.map(({ type }: { type: string }) => type).sort()).toEqual([
      'Microsoft.Network/networkInterfaces',
      'Microsoft.Network/virtualNetworks',
    ]);
    expect(runtime.machines.size).toBe(0);
  });

  it('accept customData of exactly 65,535 bytes', async () => {
    expect(
      (await makeVm(arm, 'vm', { os: { customData: Buffer.alloc(65_535).toString('base64') } })).status,
    ).toBe('Succeeded');
  });

  it('share quota: by family and by region, in words that name the limit', async () => {
    expect((await makeVm(arm, 'a', { size: 'Standard_B4ms' })).status).toBe('Succeeded');
    const family = await makeVm(arm, 'b', { size: 'Standard_B4ms' });
    expect(family).toMatchObject({
      first: { status: 409 },
      error: { code: 'QuotaExceeded', message: expect.stringContaining('standardBSFamily Cores quota') },
    });
    expect(family.error.message).toContain('Current Limit: 6, Current Usage: 4, Additional Required: 4');
    expect((await makeVm(arm, 'c', { size: 'Standard_D4s_v5' })).status).toBe('Succeeded');
    expect((await makeVm(arm, 'd', { size: 'Standard_F2s_v2' })).error).toMatchObject({
      code: 'OperationNotAllowed',
      message: expect.stringContaining('Total Regional Cores'),
    });
    const { value } = await get(
      `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/usages`,
    );
    expect(value.find(({ name }: { name: { value: string } }) => name.value === 'cores')).toMatchObject({
      currentValue: 8,
      limit: 8,
    });
  });

  it('do not share a NIC', async () => {
    await makeVm(arm, 'a');
    expect((await settled(arm, 'PUT', vmPath('b'), vmBody('a-nic'))).error.code).toBe('NicInUse');
    expect((await settled(arm, 'DELETE', nicPath('a-nic'))).error.code).toBe('NicInUse');
  });

  it('take with them what deleteOption says, and leave the rest', async () => {
    await settled(arm, 'PUT', VNET, vnetBody());
    await settled(arm, 'PUT', IP, {
      location: 'westeurope',
      sku: { name: 'Standard' },
      properties: { publicIPAllocationMethod: 'Static' },
    });
    const publicIPAddress = { id: IP, properties: { deleteOption: 'Delete' } };
    await settled(arm, 'PUT', nicPath('a-nic'), nicBody({ configuration: { publicIPAddress } }));
    await settled(arm, 'PUT', vmPath('a'), vmBody('a-nic'));
    await makeVm(arm, 'b', { deleteNic: 'Detach', deleteDisk: 'Detach' });
    for (const name of ['a', 'b']) {
      expect((await settled(arm, 'DELETE', vmPath(name))).status).toBe('Succeeded');
      expect((await arm.call('GET', vmPath(name))).status).toBe(404);
    }
    const left = (await get(`${group}/resources`)).value.map(({ type }: { type: string }) => type);
    expect(left.sort()).toEqual([
      'Microsoft.Compute/disks',
      'Microsoft.Network/networkInterfaces',
      'Microsoft.Network/virtualNetworks',
    ]);
    const [disk] = (await get(`${group}/providers/Microsoft.Compute/disks`)).value;
    expect(disk.properties.diskState).toBe('Unattached');
    expect((await settled(arm, 'DELETE', compute('disks', disk.name))).status).toBe('Succeeded');
    expect((await settled(arm, 'DELETE', nicPath('b-nic'))).status).toBe('Succeeded');
    expect(runtime.machines.size).toBe(0);
  });

  it('become images when they are generalized, and images become VMs', async () => {
    const image = compute('images', 'golden');
    const body = { location: 'westeurope', properties: { sourceVirtualMachine: { id: vmPath('a') } } };
    await makeVm(arm, 'a');
    expect((await settled(arm, 'PUT', image, body)).error.code).toBe('OperationNotAllowed');
    expect((await arm.call('POST', `${vmPath('a')}/generalize`)).body.error.code).toBe('OperationNotAllowed');
    await settled(arm, 'POST', `${vmPath('a')}/deallocate`);
    expect((await arm.call('POST', `${vmPath('a')}/generalize`)).status).toBe(200);
    expect((await settled(arm, 'PUT', image, body)).status).toBe('Succeeded');
    expect((await settled(arm, 'POST', `${vmPath('a')}/start`)).error.code).toBe('OperationNotAllowed');
    const [imageId] = runtime.images;
    await settled(arm, 'DELETE', vmPath('a'));
    const storageProfile = { imageReference: { id: image }, osDisk: { createOption: 'FromImage' } };
    expect((await makeVm(arm, 'b', { properties: { storageProfile } })).status).toBe('Succeeded');
    expect(runtime.machines.get('b')!.request.image).toEqual({ kind: 'captured', imageId });
    expect((await settled(arm, 'DELETE', image)).status).toBe('Succeeded');
    expect(runtime.images.size).toBe(0);
  });

  it('go with their group', async () => {
    const other = `/subscriptions/${SUBSCRIPTION}/resourceGroups/other`;
    expect((await arm.call('PUT', other, { location: 'westeurope' })).status).toBe(201);
    await makeVm(arm, 'vm');
    expect((await settled(arm, 'DELETE', group)).status).toBe('Succeeded');
    expect((await arm.call('GET', group)).status).toBe(404);
    expect(runtime.machines.size).toBe(0);
    expect((await get(`/subscriptions/${SUBSCRIPTION}/resourceGroups`)).value).toHaveLength(1);
  });

  it('show their console at a signed address, and only there', async () => {
    await makeVm(arm, 'vm', { properties: { diagnosticsProfile: { bootDiagnostics: { enabled: true } } } });
    const { serialConsoleLogBlobUri } = (
      await arm.call('POST', `${vmPath('vm')}/retrieveBootDiagnosticsData`)
    ).body;
    expect(await (await fetch(serialConsoleLogBlobUri)).text()).toContain('vm login');
    expect((await fetch(serialConsoleLogBlobUri.replace(/sig=../, 'sig=AA'))).status).toBe(403);
    expect((await fetch(serialConsoleLogBlobUri.replace(/se=\d+/, 'se=9999999999999'))).status).toBe(403);
  });
});
