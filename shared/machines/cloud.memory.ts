import type { KeptAccess } from './by-hand/public-access.memory.ts';
import type { Cloud, Operation, Progress, VirtualMachineRequest } from './cloud.ts';

/** Machines that are only remembered; operations take one poll. For tests of what asks for machines. */
export interface MemoryCloud extends Cloud {
  /** The next creation of a VM ends Failed, as after a shortage. */
  failNext(code: string, message: string): void;
}

interface Vm {
  readonly request: VirtualMachineRequest;
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  readonly provisioningState: string;
}

/** The tag of a machine made by hand says another name than its VM's. */
const machineOf = ({ name, tags }: VirtualMachineRequest): string => tags['berth-machine'] ?? name;

type Tags = { readonly machine: string; readonly createdAt: string };

const SIZES: Readonly<Record<string, { cores: number; memory: number }>> = {
  Standard_B2s: { cores: 2, memory: 4096 },
  Standard_D2s_v5: { cores: 2, memory: 8192 },
  Standard_D4s_v5: { cores: 4, memory: 16_384 },
};

/** @param access public addresses and security groups, as `memoryPublicAccess` keeps them */
export function memoryCloud(
  now: () => Date = () => new Date(),
  access: Map<string, KeptAccess> = new Map(),
): MemoryCloud {
  const nics = new Map<string, Tags & { readonly address: string; readonly holds: readonly string[] }>();
  const disks = new Map<string, Tags>();
  const vms = new Map<string, Vm>();
  const failures: { code: string; message: string }[] = [];
  let network = false;
  let lastAddress = 3;

  const going = (kind: Operation['kind'], name: string): Progress<never> => ({
    status: 'going',
    operation: { kind, name, state: '{}' },
    afterMs: 1,
  });
  const refused = (code: string, message: string): Progress<never> => ({ status: 'refused', code, message });
  const userOf = (nic: string): string | undefined =>
    [...vms.values()].find(({ request }) => request.nic === nic)?.request.name;

  function outcome(name: string): Progress {
    const vm = vms.get(name);
    if (vm === undefined) return refused('NotFound', `There is no virtual machine ${name}.`);
    if (vm.failure === undefined) return { status: 'done' };
    return refused(vm.failure.code, vm.failure.message);
  }

  function removeVm(name: string): void {
    const vm = vms.get(name);
    if (vm === undefined) return;
    vms.delete(name);
    nics.delete(vm.request.nic);
    disks.delete(vm.request.disk);
  }

  return {
    failNext: (code, message) => void failures.push({ code, message }),
    async ensureNetwork() {
      if (network) return { status: 'done' };
      return going('network', 'network');
    },
    async createNic({ name, machine, publicIp, securityGroup, address: wanted }) {
      const existing = nics.get(name);
      if (existing !== undefined) return { status: 'done', result: { address: existing.address } };
      if (!network) return refused('InvalidResourceReference', 'There is no network.');
      const holds = [publicIp, securityGroup].filter((one) => one !== undefined);
      const missing = holds.find((one) => !access.has(one));
      if (missing !== undefined) return refused('InvalidResourceReference', `There is no ${missing}.`);
      lastAddress += 1;
      const address = wanted ?? `10.20.${Math.floor(lastAddress / 256)}.${lastAddress % 256}`;
      nics.set(name, { address, machine, createdAt: now().toISOString(), holds });
      return going('nic', name);
    },
    async createVirtualMachine(request) {
      if (vms.has(request.name)) return outcome(request.name);
      if (!nics.has(request.nic))
        return refused('InvalidResourceReference', `There is no NIC ${request.nic}.`);
      const user = userOf(request.nic);
      if (user !== undefined) return refused('NicInUse', `NIC ${request.nic} is used by ${user}.`);
      disks.set(request.disk, { machine: machineOf(request), createdAt: now().toISOString() });
      vms.set(request.name, { request, failure: failures.shift(), provisioningState: 'Creating' });
      return going('vm', request.name);
    },
    async poll({ kind, name }) {
      if (kind === 'network') network = true;
      if (kind === 'delete-vm') removeVm(name);
      if (kind === 'nic') return { status: 'done', result: { address: nics.get(name)?.address } };
      if (kind !== 'vm') return { status: 'done' };
      const vm = vms.get(name);
      if (vm !== undefined)
        vms.set(name, { ...vm, provisioningState: vm.failure === undefined ? 'Succeeded' : 'Failed' });
      return outcome(name);
    },
    nicAddress: async (name) => nics.get(name)?.address,
    async deleteResource(kind, name) {
      if (kind === 'vm') return vms.has(name) ? going('delete-vm', name) : { status: 'done' };
      if (kind === 'nic') {
        const user = userOf(name);
        if (user !== undefined) return refused('NicInUse', `NIC ${name} is used by ${user}.`);
        nics.delete(name);
      }
      if (kind === 'disk') {
        const user = [...vms.values()].find(({ request }) => request.disk === name)?.request.name;
        if (user !== undefined)
          return refused('OperationNotAllowed', `Disk ${name} is attached to VM ${user}.`);
        disks.delete(name);
      }
      if (kind === 'public-ip' || kind === 'security-group') {
        const code =
          kind === 'public-ip'
            ? 'PublicIPAddressCannotBeDeleted'
            : 'InUseNetworkSecurityGroupCannotBeDeleted';
        for (const [nic, { holds }] of nics)
          if (holds.includes(name)) return refused(code, `${name} is used by NIC ${nic}.`);
        access.delete(name);
      }
      return { status: 'done' };
    },
    async virtualMachine(name) {
      const vm = vms.get(name);
      if (vm === undefined) return undefined;
      const power = vm.provisioningState === 'Succeeded' ? 'running' : undefined;
      return { name, provisioningState: vm.provisioningState, power };
    },
    async tagged() {
      const tags = (kind: 'nic' | 'disk', resources: ReadonlyMap<string, Tags>) =>
        [...resources].map(([name, { machine, createdAt }]) => ({ kind, name, machine, createdAt }));
      const listed = [...vms.values()].map(({ request }) => ({
        kind: 'vm' as const,
        name: request.name,
        machine: machineOf(request),
        createdAt: disks.get(request.disk)?.createdAt,
        size: request.size,
      }));
      const others = [...access].map(([name, { kind, machine, createdAt }]) => ({
        kind,
        name,
        machine,
        createdAt,
      }));
      return [...listed, ...tags('nic', nics), ...tags('disk', disks), ...others];
    },
    size: async (name) => SIZES[name],
    consoleLog: async (name) => (vms.has(name) ? `${name} login:\n` : undefined),
  };
}
