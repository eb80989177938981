import type { ArmClients } from './arm-clients.azure.ts';
import type { Power } from './power.ts';

export function azurePower({ compute, group, begin }: ArmClients): Power {
  const power = (name: string) => ({ kind: 'power', name }) as const;
  return {
    start: (vm) => begin(power(vm), () => compute.virtualMachines.start(group, vm)),
    deallocate: (vm) => begin(power(vm), () => compute.virtualMachines.deallocate(group, vm)),
    restart: (vm) => begin(power(vm), () => compute.virtualMachines.restart(group, vm)),
  };
}
