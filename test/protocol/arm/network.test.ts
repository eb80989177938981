import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryMachineRuntime } from '../../../infra/local/machine-runtime/machine-runtime.memory.ts';
import { startTestArm, type TestArm } from '../../support/arm.ts';
import {
  IP,
  makeVm,
  NSG,
  network,
  nicBody,
  nicPath,
  nsgBody,
  ruleBody,
  settled,
  VNET,
  vmPath,
  vnetBody,
} from './resources.ts';

describe('ARM: Microsoft.Network', () => {
  let arm: TestArm;
  beforeEach(async () => {
    arm = await startTestArm();
    await settled(arm, 'PUT', VNET, vnetBody());
  });
  afterEach(() => arm?.close());
  const address = async (name: string): Promise<string> =>
    (await arm.call('GET', nicPath(name))).body.properties.ipConfigurations[0].properties.privateIPAddress;
  const code = async (method: string, path: string, body?: unknown) => {
    const { first, error } = await settled(arm, method, path, body);
    return `${first.status} ${error?.code}`;
  };

  it('gives addresses from the fifth on, each once, and again after their NIC is gone', async () => {
    for (const name of ['a', 'b', 'c']) await settled(arm, 'PUT', nicPath(name), nicBody());
    expect([await address('a'), await address('b'), await address('c')]).toEqual([
      '10.77.0.4',
      '10.77.0.5',
      '10.77.0.6',
    ]);
    await settled(arm, 'DELETE', nicPath('b'));
    await settled(arm, 'PUT', nicPath('d'), nicBody());
    expect(await address('d')).toBe('10.77.0.5');
    await settled(arm, 'PUT', nicPath('a'), nicBody());
    expect(await address('a')).toBe('10.77.0.4');
  });

  it('ends with a full subnet', async () => {
    await settled(
      arm,
      'PUT',
      VNET,
      vnetBody([{ name: 'machines', properties: { addressPrefix: '10.77.9.0/29' } }]),
    );
    for (const name of ['a', 'b', 'c']) await settled(arm, 'PUT', nicPath(name), nicBody());
    expect(await code('PUT', nicPath('d'), nicBody())).toBe('400 SubnetIsFull');
  });

  it.each([
    ['10.77.0.40', '201 undefined'],
    ['10.77.0.4', '400 PrivateIPAddressInUse'],
    ['10.77.0.3', '400 PrivateIPAddressInReservedRange'],
    ['10.77.0.255', '400 PrivateIPAddressInReservedRange'],
    ['10.78.0.9', '400 PrivateIPAddressNotInSubnet'],
    ['nonsense', '400 PrivateIPAddressNotProvided'],
  ])('a static address %s gets %s', async (privateIPAddress, expected) => {
    await settled(arm, 'PUT', nicPath('a'), nicBody());
    const configuration = { privateIPAllocationMethod: 'Static', privateIPAddress };
    expect(await code('PUT', nicPath('b'), nicBody({ configuration }))).toBe(expected);
  });

  it.each([
    ['outside', [{ name: 's', properties: { addressPrefix: '10.99.0.0/24' } }], 'NetcfgInvalidSubnet'],
    [
      'overlapping',
      [
        { name: 's', properties: { addressPrefix: '10.77.0.0/24' } },
        { name: 't', properties: { addressPrefix: '10.77.0.128/25' } },
      ],
      'NetcfgSubnetRangesOverlap',
    ],
    ['malformed', [{ name: 's', properties: { addressPrefix: '10.77.0.1/24' } }], 'InvalidCIDRNotation'],
    [
      'without its group',
      [{ name: 's', properties: { addressPrefix: '10.77.0.0/24', networkSecurityGroup: { id: NSG } } }],
      'InvalidResourceReference',
    ],
  ])('refuses a subnet that is %s', async (_what, subnets, expected) => {
    expect(await code('PUT', network('virtualNetworks', 'other'), vnetBody(subnets))).toBe(`400 ${expected}`);
  });

  it("refuses to delete what something needs, in Azure's words, and deletes it afterwards", async () => {
    await settled(arm, 'PUT', NSG, nsgBody());
    await settled(arm, 'PUT', IP, {
      location: 'westeurope',
      sku: { name: 'Standard' },
      properties: { publicIPAllocationMethod: 'Static' },
    });
    await settled(
      arm,
      'PUT',
      nicPath('a'),
      nicBody({ configuration: { publicIPAddress: { id: IP } }, nic: { networkSecurityGroup: { id: NSG } } }),
    );
    expect(await code('DELETE', VNET)).toBe('400 InUseSubnetCannotBeDeleted');
    expect(await code('DELETE', `${VNET}/subnets/machines`)).toBe('400 InUseSubnetCannotBeDeleted');
    expect(await code('PUT', VNET, vnetBody([]))).toBe('400 InUseSubnetCannotBeDeleted');
    expect(await code('DELETE', NSG)).toBe('400 InUseNetworkSecurityGroupCannotBeDeleted');
    expect(await code('DELETE', IP)).toBe('400 PublicIPAddressCannotBeDeleted');
    for (const path of [nicPath('a'), NSG, IP, VNET]) {
      expect((await settled(arm, 'DELETE', path)).status).toBe('Succeeded');
      expect((await arm.call('GET', path)).status).toBe(404);
      expect((await arm.call('DELETE', path)).status).toBe(204);
    }
  });

  it('keeps subnets as resources of their own', async () => {
    const path = `${VNET}/subnets/more`;
    expect(
      (await settled(arm, 'PUT', path, { properties: { addressPrefix: '10.77.4.0/24' } })).first.status,
    ).toBe(201);
    expect((await arm.call('GET', path)).body).toMatchObject({
      id: path,
      properties: { addressPrefix: '10.77.4.0/24', provisioningState: 'Succeeded' },
    });
    expect((await arm.call('GET', VNET)).body.properties.subnets).toHaveLength(2);
    expect((await settled(arm, 'DELETE', path)).status).toBe('Succeeded');
    expect((await arm.call('GET', path)).status).toBe(404);
  });

  it('checks rules', async () => {
    const put = (rules: object[]) => code('PUT', NSG, nsgBody(rules));
    expect(await put([ruleBody('a', 99, '22')])).toBe('400 SecurityRuleInvalidPriority');
    expect(await put([ruleBody('a', 100, '22'), ruleBody('b', 100, '23')])).toBe('400 SecurityRuleConflict');
    expect(
      await put([
        { name: 'a', properties: { ...ruleBody('a', 100, '22').properties, sourceAddressPrefix: 'Nowhere' } },
      ]),
    ).toBe('400 SecurityRuleInvalidAddressPrefix');
    expect(await put([ruleBody('a', 100, '22')])).toBe('201 undefined');
    const { body } = await arm.call('GET', NSG);
    expect(body.properties.defaultSecurityRules).toHaveLength(6);
  });

  it("changes a running machine's rules with its group", async () => {
    await makeVm(arm, 'vm');
    const { machines } = arm.runtime as MemoryMachineRuntime;
    const rules = () => machines.get('vm')!.rules.map(({ name }) => name);
    expect(rules()).toEqual(['NoSecurityGroup']);
    await settled(arm, 'PUT', NSG, nsgBody([ruleBody('ssh', 100, '22')]));
    await settled(
      arm,
      'PUT',
      VNET,
      vnetBody([
        {
          name: 'machines',
          properties: { addressPrefix: '10.77.0.0/24', networkSecurityGroup: { id: NSG } },
        },
      ]),
    );
    expect(rules()[0]).toBe('ssh');
    await settled(arm, 'PUT', `${NSG}/securityRules/web`, {
      properties: ruleBody('web', 90 + 20, '80').properties,
    });
    expect(rules().slice(0, 2)).toEqual(['ssh', 'web']);
    await settled(arm, 'DELETE', `${NSG}/securityRules/ssh`);
    expect(rules()[0]).toBe('web');
    expect((await arm.call('GET', `${NSG}/securityRules`)).body.value).toHaveLength(1);
    expect((await arm.call('GET', vmPath('vm'))).status).toBe(200);
  });

  it('shows as public address the one at which this computer reaches the machine', async () => {
    await settled(arm, 'PUT', IP, {
      location: 'westeurope',
      sku: { name: 'Standard' },
      properties: { publicIPAllocationMethod: 'Static' },
    });
    expect((await arm.call('GET', IP)).body.properties.ipAddress).toBeUndefined();
    await settled(arm, 'PUT', nicPath('a'), nicBody({ configuration: { publicIPAddress: { id: IP } } }));
    expect((await arm.call('GET', IP)).body.properties.ipAddress).toBe(await address('a'));
  });
});
