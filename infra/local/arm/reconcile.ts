import type { Arm } from './arm.ts';
import { stateOf } from './compute/virtual-machine.ts';

/**
 * Brings machines and records together when the endpoint starts: a machine without a record goes; one that should run
 * and does not is started, by an operation; one whose record is half-made is left to the operation that makes it.
 */
export async function reconcile(arm: Arm): Promise<void> {
  const vms = arm.resources.list('vm');
  const known = new Set(vms.map(({ name }) => name.toLowerCase()));
  const machines = await arm.runtime.list();
  await Promise.all(
    machines.filter((name) => !known.has(name.toLowerCase())).map((name) => arm.runtime.remove(name)),
  );
  for (const vm of vms) {
    if (arm.operations.busy(vm.id) || vm.properties.provisioningState !== 'Succeeded') continue;
    const running = (await arm.runtime.state(vm.name)) === 'running';
    if (running !== (stateOf(vm).power === 'running')) arm.operations.begin('vm.recover', vm.id);
  }
}
