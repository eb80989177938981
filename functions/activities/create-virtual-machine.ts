import { renderCloudInit } from '../../shared/machines/cloud-init.ts';
import { createVirtualMachine } from '../../shared/machines/machine-activities.ts';
import { Retryable } from '../../shared/model/errors.ts';
import { activity } from './activity.ts';

/** The address is recorded before the VM is asked for: the machine may register before the answer is here. */
export const create = activity(createVirtualMachine, async ({ machine: name }, made) => {
  const found = await made.machines.get(name);
  const address = found && (await made.cloud.nicAddress(found.resources.nic));
  if (address === undefined)
    throw new Retryable({
      code: 'machine-address-unknown',
      message: `The network interface of ${name} has no private address yet.`,
      remedy: 'It is asked again.',
    });
  const machine = await made.machines.change(name, (current) =>
    current.status.state === 'provisioning'
      ? { ...current, address, status: { state: 'booting', since: made.now().toISOString() } }
      : undefined,
  );
  if (machine === undefined) throw new Error(`the record of ${name} was removed while its VM was asked for`);
  const customData = renderCloudInit({
    machine: name,
    appUrl: `https://${made.settings.hostname}`,
    engineCaCertificate: (await made.engineCa()).certificatePem,
    network: made.settings.network,
  });
  const { vm, nic, disk } = machine.resources;
  const { size, image, pool } = machine;
  const tags = { 'berth-machine': name, 'berth-pool': pool };
  return await made.cloud.createVirtualMachine({ name: vm, nic, disk, size, image, customData, tags });
});
