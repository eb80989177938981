import type { Failure } from '../operations/operation.ts';
import type { Resource } from '../resources/resource.ts';
import type { VirtualMachineProperties } from './virtual-machine-body.ts';

/** What a VM's record keeps beside what GET shows. */
export interface VirtualMachineState {
  /** What the VM should be: the endpoint brings its machine there after a restart. */
  readonly power: 'running' | 'stopped' | 'deallocated';
  /** base64; Azure never shows it again. */
  readonly customData: string;
  readonly userData: string;
  readonly principalId: string | undefined;
  readonly failure: Failure | undefined;
  readonly generalized: boolean;
  /** RFC 3339: when the last status was set. */
  readonly since: string;
}

export const stateOf = (vm: Resource): VirtualMachineState => vm.hidden as unknown as VirtualMachineState;

export const propertiesOf = (vm: Resource): VirtualMachineProperties =>
  vm.properties as unknown as VirtualMachineProperties;

export const hardwareOf = (vm: Resource): string => propertiesOf(vm).hardwareProfile.vmSize;

export const isSpot = (vm: Resource): boolean => propertiesOf(vm).priority?.toLowerCase() === 'spot';

export const nicIdsOf = (vm: Resource): readonly string[] =>
  (propertiesOf(vm).networkProfile?.networkInterfaces ?? []).map(({ id }) => id);

/** The record with some of its state changed. */
export function changed(
  vm: Resource,
  state: Partial<VirtualMachineState>,
  provisioningState = String(vm.properties.provisioningState),
): Resource {
  return {
    ...vm,
    properties: { ...vm.properties, provisioningState },
    hidden: { ...vm.hidden, ...state },
  };
}
