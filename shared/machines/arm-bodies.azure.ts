import type { VirtualMachine } from '@azure/arm-compute';
import type { NetworkInterface, NetworkSecurityGroup, Subnet, VirtualNetwork } from '@azure/arm-network';
import type { Settings } from '../config/settings.ts';
import { Terminal } from '../model/errors.ts';
import { DOCUMENTS_PORT } from '../networks/protocol.ts';
import type { NicRequest, VirtualMachineRequest } from './cloud.ts';

/** Names of what machines share; machines' own names come with the request. */
export const NETWORK = 'berth-network';
export const SUBNET = 'machines';
export const SECURITY_GROUP = 'berth-machines';
/** Machines made by hand join it: what reaches them is decided by their own security group alone. */
export const BY_HAND_GROUP = 'berth-by-hand';

export const MACHINE_TAG = 'berth-machine';
export const CREATED_TAG = 'berth-created';

/** Whom the engines' port 2376 admits. Everything else between machines follows from Azure's default rules. */
const ENGINE_PORT = '2376';
const ADMIN = 'berth';

type Place = Pick<Settings, 'subscription' | 'resourceGroup' | 'location' | 'network' | 'appNetwork'>;

export const resourceId = (place: Place, type: string, name: string): string =>
  `/subscriptions/${place.subscription}/resourceGroups/${place.resourceGroup}/providers/${type}/${name}`;

const inbound = (
  name: string,
  priority: number,
  access: string,
  protocol: string,
  source: string,
  port: string,
) => ({
  name,
  priority,
  access,
  protocol,
  direction: 'Inbound',
  sourceAddressPrefix: source,
  sourcePortRange: '*',
  destinationPortRange: port,
});

const rule = (...given: Parameters<typeof inbound>) => ({
  ...inbound(...given),
  destinationAddressPrefix: '*',
});

/** The app reaches engines and what machines are told at; machines do not reach each other's. Other traffic comes from the network only. */
export const securityGroup = (place: Place): NetworkSecurityGroup => ({
  location: place.location,
  securityRules: [
    {
      ...inbound('AllowByHand', 990, 'Allow', '*', '*', '*'),
      destinationApplicationSecurityGroups: [
        { id: resourceId(place, 'Microsoft.Network/applicationSecurityGroups', BY_HAND_GROUP) },
      ],
    },
    rule('AllowEngineFromApp', 1000, 'Allow', 'Tcp', place.appNetwork, ENGINE_PORT),
    rule('DenyEngine', 1010, 'Deny', 'Tcp', '*', ENGINE_PORT),
    rule('AllowNetworkDocumentsFromApp', 1020, 'Allow', 'Tcp', place.appNetwork, String(DOCUMENTS_PORT)),
    rule('DenyNetworkDocuments', 1030, 'Deny', 'Tcp', '*', String(DOCUMENTS_PORT)),
    rule('AllowNetwork', 4000, 'Allow', '*', 'VirtualNetwork', '*'),
    rule('DenyOthers', 4010, 'Deny', '*', '*', '*'),
  ],
});

/** New subnets are private since network API 2025-07-01: machines need a way out to install an engine and pull images. */
export const subnet = (place: Place): Subnet => ({
  name: SUBNET,
  addressPrefix: place.network,
  defaultOutboundAccess: true,
  networkSecurityGroup: { id: resourceId(place, 'Microsoft.Network/networkSecurityGroups', SECURITY_GROUP) },
});

export const virtualNetwork = (place: Place): VirtualNetwork => ({
  location: place.location,
  addressSpace: { addressPrefixes: [place.network] },
  subnets: [subnet(place)],
});

export const networkInterface = (place: Place, request: NicRequest, created: Date): NetworkInterface => ({
  location: place.location,
  tags: { [MACHINE_TAG]: request.machine, [CREATED_TAG]: created.toISOString() },
  ipConfigurations: [
    {
      name: 'primary',
      primary: true,
      ...(request.address === undefined
        ? { privateIPAllocationMethod: 'Dynamic' }
        : { privateIPAllocationMethod: 'Static', privateIPAddress: request.address }),
      subnet: {
        id:
          request.subnet ??
          `${resourceId(place, 'Microsoft.Network/virtualNetworks', NETWORK)}/subnets/${SUBNET}`,
      },
      // Members of such a group are in one network.
      ...(request.securityGroup !== undefined &&
        request.subnet === undefined && {
          applicationSecurityGroups: [
            { id: resourceId(place, 'Microsoft.Network/applicationSecurityGroups', BY_HAND_GROUP) },
          ],
        }),
      ...(request.publicIp !== undefined && {
        publicIPAddress: {
          id: resourceId(place, 'Microsoft.Network/publicIPAddresses', request.publicIp),
          deleteOption: 'Delete',
        },
      }),
    },
  ],
  ...(request.securityGroup !== undefined && {
    networkSecurityGroup: {
      id: resourceId(place, 'Microsoft.Network/networkSecurityGroups', request.securityGroup),
    },
  }),
});

/** @throws Terminal `invalid-image-reference` */
export const virtualMachine = (
  place: Place,
  request: VirtualMachineRequest,
  throwAwayKey: string,
  created: Date,
): VirtualMachine => ({
  location: place.location,
  tags: { [MACHINE_TAG]: request.name, [CREATED_TAG]: created.toISOString(), ...request.tags },
  identity: { type: 'SystemAssigned' },
  ...(request.zone !== undefined && { zones: [request.zone] }),
  // What is taken back is deleted: a deallocated one would be paid for, and hold quota.
  ...(request.priority === 'spot' && {
    priority: 'Spot',
    evictionPolicy: 'Delete',
    billingProfile: { maxPrice: -1 },
  }),
  hardwareProfile: { vmSize: request.size },
  storageProfile: {
    imageReference: imageReference(request.image),
    osDisk: {
      name: request.disk,
      createOption: 'FromImage',
      deleteOption: 'Delete',
      managedDisk: { storageAccountType: 'StandardSSD_LRS' },
    },
  },
  osProfile: {
    computerName: request.name,
    adminUsername: request.admin?.user ?? ADMIN,
    customData: Buffer.from(request.customData, 'utf8').toString('base64'),
    linuxConfiguration: {
      disablePasswordAuthentication: true,
      ssh: {
        publicKeys: (request.admin?.sshKeys ?? [throwAwayKey]).map((keyData) => ({
          path: `/home/${request.admin?.user ?? ADMIN}/.ssh/authorized_keys`,
          keyData,
        })),
      },
    },
  },
  networkProfile: {
    networkInterfaces: [
      {
        id: resourceId(place, 'Microsoft.Network/networkInterfaces', request.nic),
        primary: true,
        deleteOption: 'Delete',
      },
    ],
  },
  diagnosticsProfile: { bootDiagnostics: { enabled: true } },
});

function imageReference(image: string) {
  if (image.startsWith('/')) return { id: image };
  const [publisher, offer, sku, version, ...rest] = image.split(':');
  if (!publisher || !offer || !sku || !version || rest.length > 0)
    throw new Terminal({
      code: 'invalid-image-reference',
      message: `The pool's machine image '${image}' is neither publisher:offer:sku:version nor the resource id of an image.`,
      remedy: 'Write for example Debian:debian-13:13-gen2:latest.',
    });
  return { publisher, offer, sku, version };
}
