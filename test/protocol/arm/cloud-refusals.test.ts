import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armClients } from '../../../shared/machines/arm-clients.azure.ts';
import { azureCloud } from '../../../shared/machines/cloud.azure.ts';
import type { Cloud, Progress, VirtualMachineRequest } from '../../../shared/machines/cloud.ts';
import { credential, startTestArm, type TestArm } from '../../support/arm.ts';

const request: VirtualMachineRequest = {
  name: 'm1',
  nic: 'm1-nic',
  disk: 'm1-disk',
  size: 'Standard_B2s',
  image: 'Debian:debian-13:13-gen2:latest',
  customData: '',
  tags: {},
};

describe('cloud on Azure: refusals, delays and lost answers', () => {
  let arm: TestArm;
  let cloud: Cloud;
  beforeEach(async () => {
    arm = await startTestArm();
    cloud = azureCloud(armClients(arm.settings, credential));
  });
  afterEach(() => arm?.close());
  const order = (operation: string, fault: object) =>
    arm.call('POST', '/local/faults', { operation, when: 'at-once', ...fault });
  async function end(begun: Promise<Progress>): Promise<Progress> {
    let progress = await begun;
    while (progress.status === 'going') {
      await arm.idle();
      progress = await cloud.poll(progress.operation);
    }
    return progress;
  }
  const prepare = async () => {
    await end(cloud.ensureNetwork());
    await end(cloud.createNic({ name: 'm1-nic', machine: 'm1' }));
  };

  it.each(['SkuNotAvailable', 'QuotaExceeded', 'OperationNotAllowed'])(
    "says %s with ARM's words",
    async (code) => {
      await prepare();
      await order('vm.create', { code, message: 'in words' });
      expect(await cloud.createVirtualMachine(request)).toEqual({
        status: 'refused',
        code,
        message: 'in words',
      });
    },
  );

  it('asks to be tried again after 429, when ARM says', async () => {
    await prepare();
    await order('vm.create', { code: 'TooManyRequests' });
    await expect(cloud.createVirtualMachine(request)).rejects.toMatchObject({
      name: 'Retryable',
      code: 'arm-busy',
      afterMs: 1000,
    });
    expect(await end(cloud.createVirtualMachine(request))).toEqual({ status: 'done' });
  });

  it.each(['InternalServerError', 'ServiceUnavailable'])(
    'asks to be tried again after %s, also in reads',
    async (code) => {
      await order('nic.create', { code });
      await end(cloud.ensureNetwork());
      await expect(cloud.createNic({ name: 'n', machine: 'm1' })).rejects.toMatchObject({
        name: 'Retryable',
        code: 'arm-unavailable',
      });
      await order('vm.get', { code });
      await expect(cloud.virtualMachine('m1')).rejects.toMatchObject({
        name: 'Retryable',
        code: 'arm-unavailable',
      });
    },
  );

  it('asks to be tried again while ARM cannot be reached', async () => {
    await arm.close();
    await expect(cloud.ensureNetwork()).rejects.toMatchObject({ name: 'Retryable', code: 'arm-unavailable' });
  });

  it('finds the VM whose answer was lost, and waits for it', async () => {
    await prepare();
    await order('vm.create', { when: 'after-commit-reply-lost' });
    await expect(cloud.createVirtualMachine(request)).rejects.toMatchObject({ name: 'Retryable' });
    expect(await end(cloud.createVirtualMachine(request))).toEqual({ status: 'done' });
    expect(await cloud.virtualMachine('m1')).toMatchObject({
      provisioningState: 'Succeeded',
      power: 'running',
    });
  });

  it('puts again what failed in its operation', async () => {
    for (const operation of ['nsg.create', 'vnet.create', 'nic.create'])
      await order(operation, { when: 'in-operation', code: 'InternalServerError', message: 'as ordered' });
    expect(await end(cloud.ensureNetwork())).toMatchObject({
      status: 'refused',
      code: 'InternalServerError',
    });
    expect(await end(cloud.ensureNetwork())).toMatchObject({
      status: 'refused',
      code: 'InternalServerError',
    });
    expect(await end(cloud.ensureNetwork())).toMatchObject({ status: 'done' });
    expect(await end(cloud.createNic({ name: 'n', machine: 'm1' }))).toMatchObject({ status: 'refused' });
    expect(await end(cloud.createNic({ name: 'n', machine: 'm1' }))).toMatchObject({ status: 'done' });
  });

  it('waits for an operation that takes its time, and is told to poll', async () => {
    await prepare();
    await order('vm.create', { when: 'in-operation', delayMs: 50 });
    const progress = await cloud.createVirtualMachine(request);
    expect(progress).toMatchObject({ status: 'going', afterMs: 1000, operation: { kind: 'vm', name: 'm1' } });
    expect(await end(Promise.resolve(progress))).toEqual({ status: 'done' });
  });

  it('leaves the subnets and rules of others alone', async () => {
    const base = `/subscriptions/${arm.settings.subscription}/resourceGroups/${arm.settings.resourceGroup}/providers/Microsoft.Network`;
    const addressSpace = { addressPrefixes: ['10.77.0.0/16', '10.99.0.0/24'] };
    const subnets = [{ name: 'app', properties: { addressPrefix: '10.99.0.0/24' } }];
    await arm.call('PUT', `${base}/virtualNetworks/berth-network`, {
      location: 'westeurope',
      properties: { addressSpace, subnets },
    });
    await arm.call('PUT', `${base}/networkSecurityGroups/berth-machines`, {
      location: 'westeurope',
      properties: {
        securityRules: [
          {
            name: 'by-hand',
            properties: {
              priority: 500,
              access: 'Allow',
              direction: 'Inbound',
              protocol: 'Tcp',
              sourceAddressPrefix: '192.0.2.7/32',
              sourcePortRange: '*',
              destinationAddressPrefix: '*',
              destinationPortRange: '2376',
            },
          },
        ],
      },
    });
    await arm.idle();
    expect(await end(cloud.ensureNetwork())).toMatchObject({ status: 'done' });
    const vnet = (await arm.call('GET', `${base}/virtualNetworks/berth-network`)).body;
    expect(vnet.properties.subnets.map(({ name }: { name: string }) => name)).toEqual(['app', 'machines']);
    const rules = (await arm.call('GET', `${base}/networkSecurityGroups/berth-machines`)).body.properties
      .securityRules;
    expect(rules.map(({ name }: { name: string }) => name)).toEqual([
      'by-hand',
      'AllowByHand',
      'AllowEngineFromApp',
      'DenyEngine',
      'AllowNetworkDocumentsFromApp',
      'DenyNetworkDocuments',
      'AllowNetwork',
      'DenyOthers',
    ]);
  });

  it('refuses an image reference that is none', async () => {
    await prepare();
    await expect(cloud.createVirtualMachine({ ...request, image: 'debian' })).rejects.toMatchObject({
      name: 'Terminal',
      code: 'invalid-image-reference',
    });
  });

  it("gives the token to nobody but ARM, and asks for it with ARM's scope", async () => {
    const scopes: unknown[] = [];
    const watched = {
      getToken: async (scope: string | string[]) => {
        scopes.push(scope);
        return credential.getToken();
      },
    };
    await azureCloud(armClients(arm.settings, watched)).nicAddress('x');
    expect(scopes).toEqual([['https://management.azure.com/.default']]);
  });
});
