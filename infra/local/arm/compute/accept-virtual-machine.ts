import { randomUUID } from 'node:crypto';
import type { Arm } from '../arm.ts';
import { refuseReserved } from '../network/interfaces.ts';
import { contains, parseBlock } from '../network/ipv4.ts';
import { ipConfigurationsOf, referenceOf } from '../network/references.ts';
import { ArmError, invalidParameter, invalidReference } from '../requests/arm-error.ts';
import { type Resource, resourceId, sameId } from '../resources/resource.ts';
import { acceptIdentity } from './identity.ts';
import { requireQuota } from './quota.ts';
import { requireZone } from './require-zone.ts';
import { sizeNamed } from './sizes.ts';
import { requireSpotRules } from './spot-rules.ts';
import type { VirtualMachineState } from './virtual-machine.ts';
import type { VirtualMachineBody } from './virtual-machine-body.ts';

/** Largest customData, decoded: https://learn.microsoft.com/azure/virtual-machines/custom-data */
const CUSTOM_DATA_LIMIT = 65_535;

/** The record of a new VM, and the disk that is made with it. @throws ArmError where Azure would refuse */
export function acceptVirtualMachine(
  arm: Arm,
  name: string,
  id: string,
  group: string,
  body: VirtualMachineBody,
): { readonly vm: Resource; readonly disk: Resource; readonly nic: Resource } {
  const { properties } = body;
  const size = sizeNamed(properties.hardwareProfile.vmSize);
  if (size === undefined)
    throw invalidParameter(
      'vmSize',
      `The value ${properties.hardwareProfile.vmSize} provided for the VM size is not valid. The valid sizes in the current region are listed by Microsoft.Compute/skus.`,
    );
  requireZone(arm, body, size, id);
  requireSpotRules(properties, size);
  requireOsProfile(properties.osProfile, name);
  const customData = requireBase64('osProfile.customData', properties.osProfile?.customData);
  const userData = requireBase64('userData', properties.userData);
  const osDisk = requireOsDisk(properties);
  const image = requireImage(arm, properties, id);
  const nic = requireNic(arm, properties, id);
  const twin = arm.resources.list('vm').find((vm) => vm.name.toLowerCase() === name.toLowerCase());
  if (twin !== undefined)
    throw new ArmError(
      409,
      'OperationNotAllowed',
      `The local data centre names machines by their VM, and ${twin.id} has this name already. Choose another.`,
    );
  requireQuota(arm, size, id, properties.priority === 'Spot');

  const diskId = resourceId(
    arm.subscription,
    group,
    'disk',
    osDisk.name ?? `${name}_OsDisk_1_${randomUUID().replaceAll('-', '')}`,
  );
  if (arm.resources.get(diskId) !== undefined)
    throw new ArmError(
      409,
      'ConflictingUserInput',
      `Disk ${diskId.slice(diskId.lastIndexOf('/') + 1)} already exists in resource group ${group}. Only CreateOption.Attach is supported.`,
    );
  const diskName = diskId.slice(diskId.lastIndexOf('/') + 1);
  const storage = osDisk.managedDisk?.storageAccountType ?? 'Premium_LRS';
  const { identity, principalId } = acceptIdentity(body.identity, arm.tenant, undefined);
  const state: VirtualMachineState = {
    power: 'running',
    customData,
    userData,
    principalId,
    failure: undefined,
    generalized: false,
    since: arm.now().toISOString(),
  };
  const { customData: _, adminPassword: __, ...osProfile } = properties.osProfile ?? {};
  const { userData: ___, ...shown } = properties;
  const vm: Resource = {
    id,
    kind: 'vm',
    name,
    group,
    location: arm.location,
    tags: body.tags,
    extra: {
      ...(identity === undefined ? {} : { identity }),
      ...(body.zones === undefined ? {} : { zones: body.zones }),
    },
    properties: {
      ...shown,
      vmId: randomUUID(),
      timeCreated: arm.now().toISOString(),
      hardwareProfile: { ...properties.hardwareProfile, vmSize: size.name },
      storageProfile: {
        ...properties.storageProfile,
        ...image,
        osDisk: {
          osType: 'Linux',
          caching: 'ReadWrite',
          ...osDisk,
          name: diskName,
          deleteOption: osDisk.deleteOption ?? 'Detach',
          diskSizeGB: osDisk.diskSizeGB ?? 30,
          managedDisk: { ...osDisk.managedDisk, storageAccountType: storage, id: diskId },
        },
        dataDisks: [],
      },
      osProfile: {
        secrets: [],
        allowExtensionOperations: true,
        requireGuestProvisionSignal: true,
        computerName: name,
        ...osProfile,
      },
      provisioningState: 'Creating',
    },
    hidden: state as unknown as Resource['hidden'],
  };
  const disk: Resource = {
    id: diskId,
    kind: 'disk',
    name: diskName,
    group,
    location: arm.location,
    tags: body.tags,
    extra: { managedBy: id, sku: { name: storage, tier: storage.split('_')[0] } },
    properties: {
      osType: 'Linux',
      creationData: {
        createOption: 'FromImage',
        imageReference: properties.storageProfile.imageReference ?? {},
      },
      diskSizeGB: osDisk.diskSizeGB ?? 30,
      diskState: 'Attached',
      timeCreated: arm.now().toISOString(),
      uniqueId: randomUUID(),
      provisioningState: 'Succeeded',
    },
    hidden: {},
  };
  return { vm, disk, nic };
}

function requireOsProfile(profile: VirtualMachineBody['properties']['osProfile'], name: string): void {
  if (profile === undefined)
    throw invalidParameter('osProfile', "Required parameter 'osProfile' is missing (null).");
  if (profile.windowsConfiguration !== undefined)
    throw invalidParameter(
      'osProfile.windowsConfiguration',
      'The local data centre runs Linux machines only.',
    );
  const host = profile.computerName ?? name;
  if (!/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?$/.test(host))
    throw invalidParameter(
      'computerName',
      `Linux host name ${host} must be 1 to 64 characters: letters, digits and hyphens, with a letter or digit at both ends.`,
    );
  if (profile.adminUsername === undefined || profile.adminUsername === '')
    throw invalidParameter('adminUsername', "Required parameter 'adminUsername' is missing (null).");
  if (
    ['root', 'admin', 'administrator', 'test', 'guest', 'user'].includes(profile.adminUsername.toLowerCase())
  )
    throw invalidParameter('adminUsername', 'The Admin Username specified is not allowed.');
  const keys = profile.linuxConfiguration?.ssh?.publicKeys ?? [];
  const withoutPassword = profile.linuxConfiguration?.disablePasswordAuthentication === true;
  if (withoutPassword && keys.length === 0)
    throw invalidParameter(
      'linuxConfiguration.ssh.publicKeys',
      'Authentication using either SSH or by user name and password must be enabled in Linux profile.',
    );
  if (!withoutPassword && profile.adminPassword === undefined)
    throw invalidParameter('adminPassword', "Required parameter 'adminPassword' is missing (null).");
  for (const { keyData, path } of keys) {
    if (!/^(ssh-rsa|ssh-ed25519) [A-Za-z0-9+/=]+( .*)?$/.test(keyData ?? ''))
      throw invalidParameter(
        'linuxConfiguration.ssh.publicKeys.keyData',
        'The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid: expected an RSA or Ed25519 public key in OpenSSH form.',
      );
    if (path !== `/home/${profile.adminUsername}/.ssh/authorized_keys`)
      throw invalidParameter(
        'linuxConfiguration.ssh.publicKeys.path',
        `Destination path for SSH public keys is currently limited to its default value /home/${profile.adminUsername}/.ssh/authorized_keys due to a known issue in Linux provisioning agent.`,
      );
  }
}

function requireBase64(target: string, value: string | undefined): string {
  if (value === undefined || value === '') return '';
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0)
    throw invalidParameter(
      target,
      `${target === 'userData' ? 'User data' : 'Custom data'} in ${target} must be in Base64 encoding.`,
    );
  if (Buffer.from(value, 'base64').length > CUSTOM_DATA_LIMIT)
    throw invalidParameter(target, `${target} must be at most ${CUSTOM_DATA_LIMIT} bytes when decoded.`);
  return value;
}

function requireOsDisk(properties: VirtualMachineBody['properties']) {
  const disk = properties.storageProfile.osDisk ?? { createOption: 'FromImage' };
  if (disk.createOption.toLowerCase() !== 'fromimage')
    throw invalidParameter(
      'osDisk.createOption',
      `The local data centre makes an OS disk from an image only; found ${disk.createOption}.`,
    );
  if ((properties.storageProfile.dataDisks ?? []).length > 0)
    throw invalidParameter('storageProfile.dataDisks', 'The local data centre has no data disks.');
  return disk;
}

function requireImage(arm: Arm, properties: VirtualMachineBody['properties'], vmId: string) {
  const image = properties.storageProfile.imageReference;
  if (image?.id !== undefined) {
    if (arm.resources.find('image', image.id) === undefined) throw invalidReference(image.id, vmId);
    return { imageReference: image };
  }
  const { publisher, offer, sku, version } = image ?? {};
  if (image === undefined || !publisher || !offer || !sku || !version)
    throw invalidParameter(
      'imageReference',
      "Required parameter 'imageReference' is missing (null): it needs publisher, offer, sku and version, or id.",
    );
  return { imageReference: { ...image, exactVersion: version === 'latest' ? undefined : version } };
}

function requireNic(arm: Arm, properties: VirtualMachineBody['properties'], vmId: string): Resource {
  const references = properties.networkProfile?.networkInterfaces ?? [];
  const reference = references[0];
  if (reference === undefined)
    throw invalidParameter('networkProfile', 'A virtual machine must have at least one network interface.');
  if (references.length > 1)
    throw invalidParameter(
      'networkProfile.networkInterfaces',
      'A machine of the local data centre has one network interface.',
    );
  const nic = arm.resources.find('nic', reference.id);
  if (nic === undefined) throw invalidReference(reference.id, vmId);
  const user = referenceOf(nic, 'virtualMachine');
  if (user !== undefined && !sameId(user, vmId))
    throw new ArmError(
      400,
      'NicInUse',
      `Network Interface ${nic.id} is used by existing resource ${user}. In order to use it here, it must be dissociated from that resource.`,
    );
  refuseReserved(arm, nic, vmId);
  const address = ipConfigurationsOf(nic)[0]?.properties.privateIPAddress ?? '';
  const [outer, inner] = [parseBlock(arm.machineSubnet), parseBlock(address)];
  if (outer === undefined || inner === undefined || !contains(outer, inner))
    throw invalidParameter(
      'networkProfile.networkInterfaces',
      `Address ${address} of ${nic.id} lies outside ${arm.machineSubnet}, the network of the local data centre's machines.`,
    );
  return nic;
}
