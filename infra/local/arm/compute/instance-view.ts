import type { Arm } from '../arm.ts';
import { type Json, type Resource, render } from '../resources/resource.ts';
import { propertiesOf, stateOf } from './virtual-machine.ts';

/** https://learn.microsoft.com/azure/virtual-machines/states-billing */
export async function instanceView(arm: Arm, vm: Resource): Promise<Json> {
  const state = stateOf(vm);
  const power = await powerOf(arm, vm);
  const disk = propertiesOf(vm).storageProfile.osDisk?.name ?? '';
  return {
    computerName: propertiesOf(vm).osProfile?.computerName ?? vm.name,
    osName: 'linux',
    hyperVGeneration: 'V2',
    disks: [
      {
        name: disk,
        statuses: [status('ProvisioningState/succeeded', 'Provisioning succeeded', state.since)],
      },
    ],
    bootDiagnostics: {},
    statuses: [
      provisioningStatus(vm),
      ...(state.generalized ? [status('OSState/generalized', 'VM generalized')] : []),
      ...(power === undefined ? [] : [status(`PowerState/${power}`, `VM ${power}`)]),
    ],
  };
}

/** The VM as GET answers; with the instance view if it was asked for. */
export async function viewVirtualMachine(arm: Arm, vm: Resource, expand: string | null): Promise<Json> {
  const shown = render(vm);
  const wanted = (expand ?? '').toLowerCase();
  if (wanted === 'instanceview')
    return { ...shown, properties: { ...vm.properties, instanceView: await instanceView(arm, vm) } };
  if (wanted === 'userdata')
    return { ...shown, properties: { ...vm.properties, userData: stateOf(vm).userData } };
  return shown;
}

/** What the machine is doing: asked of the runtime, since a guest can power itself off. */
async function powerOf(arm: Arm, vm: Resource): Promise<string | undefined> {
  const machine = await arm.runtime.state(vm.name);
  if (machine === 'running') return 'running';
  if (stateOf(vm).power === 'deallocated') return 'deallocated';
  return machine === 'stopped' ? 'stopped' : undefined;
}

function provisioningStatus(vm: Resource): Json {
  const { failure, since } = stateOf(vm);
  const provisioning = String(vm.properties.provisioningState).toLowerCase();
  if (failure === undefined)
    return status(`ProvisioningState/${provisioning}`, `Provisioning ${provisioning}`, since);
  return {
    code: `ProvisioningState/failed/${failure.code}`,
    level: 'Error',
    displayStatus: 'Provisioning failed',
    message: failure.message,
    time: since,
  };
}

const status = (code: string, displayStatus: string, time?: string): Json => ({
  code,
  level: 'Info',
  displayStatus,
  ...(time === undefined ? {} : { time }),
});
