import { GROUP, SUBSCRIPTION, type TestArm } from '../../support/arm.ts';

/** Paths and bodies of the resources that a VM needs. */
export const group = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}`;
export const network = (type: string, name: string) => `${group}/providers/Microsoft.Network/${type}/${name}`;
export const compute = (type: string, name: string) => `${group}/providers/Microsoft.Compute/${type}/${name}`;

export const VNET = network('virtualNetworks', 'net');
export const NSG = network('networkSecurityGroups', 'nsg');
export const IP = network('publicIPAddresses', 'ip');
export const nicPath = (name: string) => network('networkInterfaces', name);
export const vmPath = (name: string) => compute('virtualMachines', name);

const location = 'westeurope';

export const vnetBody = (
  subnets: object[] = [{ name: 'machines', properties: { addressPrefix: '10.77.0.0/24' } }],
) => ({
  location,
  properties: { addressSpace: { addressPrefixes: ['10.77.0.0/16'] }, subnets },
});

export const ruleBody = (name: string, priority: number, port: string, access = 'Allow') => ({
  name,
  properties: {
    priority,
    access,
    direction: 'Inbound',
    protocol: 'Tcp',
    sourceAddressPrefix: '*',
    sourcePortRange: '*',
    destinationAddressPrefix: '*',
    destinationPortRange: port,
  },
});

export const nsgBody = (securityRules: object[] = []) => ({ location, properties: { securityRules } });

export const nicBody = (more: { configuration?: object; nic?: object } = {}) => ({
  location,
  properties: {
    ipConfigurations: [
      { name: 'primary', properties: { subnet: { id: `${VNET}/subnets/machines` }, ...more.configuration } },
    ],
    ...more.nic,
  },
});

export const vmBody = (
  nic: string,
  more: {
    os?: object;
    properties?: object;
    top?: object;
    deleteNic?: string;
    deleteDisk?: string;
    size?: string;
  } = {},
) => ({
  location,
  ...more.top,
  properties: {
    hardwareProfile: { vmSize: more.size ?? 'Standard_B2s' },
    storageProfile: {
      imageReference: { publisher: 'Debian', offer: 'debian-12', sku: '12-gen2', version: 'latest' },
      osDisk: { createOption: 'FromImage', deleteOption: more.deleteDisk ?? 'Delete' },
    },
    osProfile: {
      computerName: 'host',
      adminUsername: 'berth',
      customData: Buffer.from('#cloud-config\n').toString('base64'),
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: {
          publicKeys: [
            {
              path: '/home/berth/.ssh/authorized_keys',
              keyData: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPl9 test',
            },
          ],
        },
      },
      ...more.os,
    },
    networkProfile: {
      networkInterfaces: [
        { id: nicPath(nic), properties: { primary: true, deleteOption: more.deleteNic ?? 'Delete' } },
      ],
    },
    ...more.properties,
  },
});

/** Sends a PUT, POST or DELETE and follows its operation to the end; answers the last poll. */
export async function settled(arm: TestArm, method: string, path: string, body?: unknown) {
  const first = await arm.call(method, path, body);
  const poll = first.headers.get('azure-asyncoperation');
  if (poll === null)
    return {
      first,
      status: first.body?.error === undefined ? 'Succeeded' : 'Refused',
      error: first.body?.error,
    };
  await arm.idle();
  const { body: last } = await arm.call('GET', new URL(poll).pathname + new URL(poll).search);
  return { first, status: last.status as string, error: last.error };
}

/** Network, NIC and VM of this name. */
export async function makeVm(arm: TestArm, name: string, more: Parameters<typeof vmBody>[1] = {}) {
  await settled(arm, 'PUT', VNET, vnetBody());
  await settled(arm, 'PUT', nicPath(`${name}-nic`), nicBody());
  return settled(arm, 'PUT', vmPath(name), vmBody(`${name}-nic`, more));
}
