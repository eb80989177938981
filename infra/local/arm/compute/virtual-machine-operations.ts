import type { Arm } from '../arm.ts';
import { enforce } from '../network/inbound-rules.ts';
import { ipConfigurationsOf } from '../network/references.ts';
import type { Operation, Steps } from '../operations/operation.ts';
import { ArmError, preemption } from '../requests/arm-error.ts';
import type { Resource } from '../resources/resource.ts';
import { machineRequest } from './machine-request.ts';
import { changed, nicIdsOf, propertiesOf, stateOf, type VirtualMachineState } from './virtual-machine.ts';

/** The long-running operations on VMs. Each may run again from its beginning after a crash. */
export function defineVirtualMachineOperations(arm: Arm): void {
  const { resources, operations, runtime, database } = arm;

  const nicsOf = (vm: Resource) => nicIdsOf(vm).flatMap((id) => resources.find('nic', id) ?? []);

  /** Records the end of an operation, unless the VM is being deleted meanwhile. */
  function settle(
    operation: Operation,
    state: Partial<VirtualMachineState>,
    provisioningState: string,
  ): void {
    database.transaction(() => {
      const vm = resources.find('vm', operation.resource);
      if (vm === undefined || vm.properties.provisioningState === 'Deleting') throw preemption();
      resources.put(changed(vm, { ...state, since: arm.now().toISOString() }, provisioningState));
    });
  }

  function define(kind: string, work: (vm: Resource) => Promise<Partial<VirtualMachineState>>): void {
    const steps: Steps = {
      async run(operation) {
        const vm = resources.find('vm', operation.resource);
        if (vm === undefined || vm.properties.provisioningState === 'Deleting') throw preemption();
        settle(operation, await work(vm), 'Succeeded');
      },
      failed(operation, failure) {
        const vm = resources.find('vm', operation.resource);
        if (vm === undefined || vm.properties.provisioningState === 'Deleting') return;
        resources.put(changed(vm, { failure, since: arm.now().toISOString() }, 'Failed'));
      },
    };
    operations.define(kind, steps);
  }

  async function boot(vm: Resource): Promise<Partial<VirtualMachineState>> {
    if ((await runtime.state(vm.name)) !== 'running') await runtime.start(vm.name);
    // A machine that starts has a new network namespace: the rules are set again.
    await enforce(arm, nicsOf(vm));
    return { power: 'running', failure: undefined };
  }

  define('vm.create', async (vm) => {
    await runtime.create(machineRequest(arm, vm));
    return boot(vm);
  });
  define('vm.update', async () => ({ failure: undefined }));
  define('vm.start', boot);
  define('vm.restart', async (vm) => {
    await runtime.restart(vm.name);
    await enforce(arm, nicsOf(vm));
    return { power: 'running', failure: undefined };
  });
  define('vm.powerOff', async (vm) => {
    await runtime.stop(vm.name);
    return { power: 'stopped', failure: undefined };
  });
  define('vm.deallocate', async (vm) => {
    await runtime.stop(vm.name);
    return { power: 'deallocated', failure: undefined };
  });
  define('vm.recover', async (vm) => {
    const machine = await runtime.state(vm.name);
    if (machine === 'absent')
      throw new ArmError(
        409,
        'VMNotFoundOnHost',
        `The machine of ${vm.name} is gone from this computer: it was removed from outside. Delete the VM and make it anew.`,
      );
    if (stateOf(vm).power === 'running') return boot(vm);
    if (machine === 'running') await runtime.stop(vm.name);
    return {};
  });

  operations.define('vm.delete', {
    async run(operation) {
      const vm = resources.find('vm', operation.resource);
      if (vm === undefined) return;
      await runtime.remove(vm.name);
      database.transaction(() => release(arm, vm));
    },
    failed(operation, failure) {
      const vm = resources.find('vm', operation.resource);
      if (vm !== undefined) resources.put(changed(vm, { failure, since: arm.now().toISOString() }, 'Failed'));
    },
  });
}

/** The VM's record goes, and with it what its deleteOptions name; the rest is detached. */
function release(arm: Arm, vm: Resource): void {
  const { resources } = arm;
  const { networkProfile, storageProfile } = propertiesOf(vm);
  for (const { id, properties } of networkProfile?.networkInterfaces ?? []) {
    const nic = resources.find('nic', id);
    if (nic === undefined) continue;
    if (properties?.deleteOption?.toLowerCase() === 'delete') {
      for (const { properties: configuration } of ipConfigurationsOf(nic))
        if (configuration.publicIPAddress?.properties?.deleteOption?.toLowerCase() === 'delete')
          resources.remove(configuration.publicIPAddress.id);
      resources.remove(nic.id);
    } else {
      const { virtualMachine: _, primary: __, ...rest } = nic.properties;
      resources.put({ ...nic, properties: rest });
    }
  }
  const osDisk = storageProfile.osDisk;
  const disk = resources.find('disk', (osDisk?.managedDisk as { id?: string } | undefined)?.id ?? '');
  if (disk !== undefined && osDisk?.deleteOption?.toLowerCase() === 'delete') resources.remove(disk.id);
  else if (disk !== undefined) {
    const { managedBy: _, ...extra } = disk.extra;
    resources.put({ ...disk, extra, properties: { ...disk.properties, diskState: 'Unattached' } });
  }
  resources.remove(vm.id);
}
