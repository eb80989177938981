import { found, refusal } from './arm-answers.azure.ts';
import {
  BY_HAND_GROUP,
  CREATED_TAG,
  MACHINE_TAG,
  NETWORK,
  networkInterface,
  SECURITY_GROUP,
  SUBNET,
  securityGroup,
  subnet,
  virtualMachine,
  virtualNetwork,
} from './arm-bodies.azure.ts';
import type { ArmClients } from './arm-clients.azure.ts';
import { resume, type Started, start } from './arm-pollers.azure.ts';
import type { Cloud, Progress, TaggedResource } from './cloud.ts';
import { sizesOf } from './sizes.azure.ts';
import { throwAwayKey } from './throw-away-key.azure.ts';

/** Milliseconds until a resource that somebody else's operation changes is looked at again. */
const WATCH_MS = 2000;

/** Machines by Azure Resource Manager. */
export function azureCloud(clients: ArmClients): Cloud {
  const { compute, network, settings, group, begin } = clients;
  const sizes = sizesOf(compute, settings.location);
  let key: string | undefined;

  /** An operation that another call began: the resource itself says how it stands. */
  async function watch(name: string): Promise<Progress> {
    const vm = await found(compute.virtualMachines.get(group, name, { expand: 'instanceView' }));
    if (vm === undefined)
      return {
        status: 'refused',
        code: 'NotFound',
        message: `Virtual machine ${name} is not there any more.`,
      };
    if (vm.provisioningState === 'Succeeded') return { status: 'done' };
    if (vm.provisioningState !== 'Failed' && vm.provisioningState !== 'Canceled')
      return { status: 'going', operation: { kind: 'vm', name, state: '' }, afterMs: WATCH_MS };
    const failed = vm.instanceView?.statuses?.find(({ code }) =>
      code?.startsWith('ProvisioningState/failed'),
    );
    return {
      status: 'refused',
      code: failed?.code?.split('/')[2] ?? 'ProvisioningFailed',
      message: failed?.message ?? `Virtual machine ${name} is ${vm.provisioningState}.`,
    };
  }

  async function ensureNetwork(): Promise<Progress> {
    const begun = (name: string): Started => ({ kind: 'network', name });
    const { location } = settings;
    if ((await found(network.applicationSecurityGroups.get(group, BY_HAND_GROUP))) === undefined) {
      const progress = await begin(begun(BY_HAND_GROUP), () =>
        network.applicationSecurityGroups.createOrUpdate(group, BY_HAND_GROUP, { location }),
      );
      if (progress.status !== 'done') return progress;
    }
    const wantedGroup = securityGroup(settings);
    const rules = await found(network.networkSecurityGroups.get(group, SECURITY_GROUP));
    const missing = (wantedGroup.securityRules ?? []).filter(
      ({ name, sourceAddressPrefix }) =>
        !rules?.securityRules?.some(
          (rule) => rule.name === name && rule.sourceAddressPrefix === sourceAddressPrefix,
        ),
    );
    if (missing.length > 0) {
      // What was added by hand stays.
      const kept = (rules?.securityRules ?? []).filter(
        ({ name }) => !missing.some((rule) => rule.name === name),
      );
      const body = { ...wantedGroup, securityRules: [...kept, ...missing] };
      const progress = await begin(begun(SECURITY_GROUP), () =>
        network.networkSecurityGroups.createOrUpdate(group, SECURITY_GROUP, body),
      );
      if (progress.status !== 'done') return progress;
    }
    const existing = await found(network.virtualNetworks.get(group, NETWORK));
    const whole = existing?.provisioningState !== 'Failed';
    const machines = existing?.subnets?.find(({ name }) => name === SUBNET);
    if (whole && machines?.addressPrefix === settings.network && machines.networkSecurityGroup !== undefined)
      return { status: 'done' };
    return begin(begun(NETWORK), () =>
      existing === undefined
        ? network.virtualNetworks.createOrUpdate(group, NETWORK, virtualNetwork(settings))
        : // The network may have subnets of others: a PUT of it that leaves them out would delete them.
          network.subnets.createOrUpdate(group, NETWORK, SUBNET, subnet(settings)),
    );
  }

  const nicAddress = async (name: string): Promise<string | undefined> => {
    const nic = await found(network.networkInterfaces.get(group, name));
    // A NIC whose PUT failed may be kept by ARM with an address: it is put again.
    return nic?.provisioningState === 'Failed' ? undefined : nic?.ipConfigurations?.[0]?.privateIPAddress;
  };

  const withAddress = async (
    progress: Progress,
    name: string,
  ): Promise<Progress<{ readonly address: string }>> => {
    if (progress.status !== 'done') return progress;
    const address = await nicAddress(name);
    if (address !== undefined) return { status: 'done', result: { address } };
    return {
      status: 'refused',
      code: 'NotFound',
      message: `Network interface ${name} has no private address.`,
    };
  };

  return {
    ensureNetwork,
    nicAddress,
    async createNic(request) {
      const address = await nicAddress(request.name);
      if (address !== undefined) return { status: 'done', result: { address } };
      const progress = await begin({ kind: 'nic', name: request.name }, () =>
        network.networkInterfaces.createOrUpdate(
          group,
          request.name,
          networkInterface(settings, request, new Date()),
        ),
      );
      return withAddress(progress, request.name);
    },
    async createVirtualMachine(request) {
      key ??= throwAwayKey();
      const body = virtualMachine(settings, request, key, new Date());
      try {
        return await start({ kind: 'vm', name: request.name }, () =>
          compute.virtualMachines.createOrUpdate(group, request.name, body, { ifNoneMatch: '*' }),
        );
      } catch (error) {
        const { statusCode, ...refused } = refusal(error);
        return statusCode === 412 ? watch(request.name) : refused;
      }
    },
    async poll(operation) {
      if (operation.state === '') return watch(operation.name);
      const progress = await resume(operation, { compute, network });
      if (progress.status !== 'done') return progress;
      if (operation.kind === 'network') return ensureNetwork();
      if (operation.kind === 'nic') return withAddress(progress, operation.name);
      return { status: 'done' };
    },
    deleteResource(kind, name) {
      const deletions = {
        vm: () => compute.virtualMachines.delete(group, name),
        nic: () => network.networkInterfaces.delete(group, name),
        disk: () => compute.disks.delete(group, name),
        'public-ip': () => network.publicIPAddresses.delete(group, name),
        'security-group': () => network.networkSecurityGroups.delete(group, name),
      };
      return begin({ kind: `delete-${kind}`, name }, deletions[kind]);
    },
    async virtualMachine(name) {
      const vm = await found(compute.virtualMachines.get(group, name, { expand: 'instanceView' }));
      if (vm === undefined) return undefined;
      const power = vm.instanceView?.statuses?.find(({ code }) => code?.startsWith('PowerState/'))?.code;
      return { name, provisioningState: vm.provisioningState ?? 'Unknown', power: power?.split('/')[1] };
    },
    async tagged() {
      const listed = await Promise.all([
        ours('vm', compute.virtualMachines.list(group)),
        ours('nic', network.networkInterfaces.list(group)),
        ours('disk', compute.disks.listByResourceGroup(group)),
        ours('public-ip', network.publicIPAddresses.list(group)),
        ours('security-group', network.networkSecurityGroups.list(group)),
      ]);
      return listed.flat();
    },
    size: async (name) => (await sizes()).get(name.toLowerCase()),
    async consoleLog(name) {
      const data = await found(compute.virtualMachines.retrieveBootDiagnosticsData(group, name));
      if (data?.serialConsoleLogBlobUri === undefined) return undefined;
      const response = await fetch(data.serialConsoleLogBlobUri);
      return response.ok ? response.text() : undefined;
    },
  };
}

type Listed = {
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly hardwareProfile?: { readonly vmSize?: string };
};

async function ours(
  kind: TaggedResource['kind'],
  resources: AsyncIterable<Listed>,
): Promise<readonly TaggedResource[]> {
  const read = async (): Promise<TaggedResource[]> => {
    const found: TaggedResource[] = [];
    for await (const { name, tags, hardwareProfile } of resources) {
      const size = hardwareProfile?.vmSize;
      const machine = tags?.[MACHINE_TAG];
      if (name !== undefined && machine !== undefined)
        found.push({
          kind,
          name,
          machine,
          createdAt: tags?.[CREATED_TAG],
          ...(size !== undefined && { size }),
        });
    }
    return found;
  };
  return (await found(read())) ?? [];
}
