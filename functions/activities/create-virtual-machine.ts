import { withUserData } from '../../shared/machines/by-hand/custom-data.ts';
import { customDataSecret } from '../../shared/machines/by-hand/custom-data-secret.ts';
import type { Progress } from '../../shared/machines/cloud.ts';
import { renderCloudInit } from '../../shared/machines/cloud-init.ts';
import { renderBuilderCloudInit } from '../../shared/machines/golden/builder-cloud-init.ts';
import { IMAGE_BUILDERS } from '../../shared/machines/golden/builder-pool.ts';
import { createVirtualMachine } from '../../shared/machines/machine-activities.ts';
import { expectedAttempt } from '../../shared/machines/superseded.ts';
import { Retryable, Terminal } from '../../shared/model/errors.ts';
import type { Machine } from '../../shared/model/machine.ts';
import type { Services } from '../services.ts';
import { activity } from './activity.ts';

/** The address is recorded before the VM is asked for: the machine may register before the answer is here. */
export const create = activity(createVirtualMachine, async ({ machine: name, attempt }, made) => {
  const found = expectedAttempt(name, await made.machines.get(name), attempt);
  const address = await made.cloud.nicAddress(found.resources.nic);
  if (address === undefined)
    throw new Retryable({
      code: 'machine-address-unknown',
      message: `The network interface of ${name} has no private address yet.`,
      remedy: 'It is asked again.',
    });
  const reached = await publicNameOf(found, made);
  const changed = await made.machines.change(name, (current) =>
    current.status.state === 'provisioning' && current.attempt === attempt
      ? { ...current, address, ...reached, status: { state: 'booting', since: made.now().toISOString() } }
      : undefined,
  );
  const machine = expectedAttempt(name, changed, attempt);
  // Recorded as asked for before: an earlier run of this may have asked, and was not heard.
  const isRepeated = found.status.state !== 'provisioning';
  const progress = await ask(machine, made, isRepeated);
  if (machine.golden === undefined || progress.status !== 'refused' || !isAbsent(progress.code))
    return progress;
  // The golden image was removed by somebody: its record follows at the next sweep, this machine does without.
  const plain = await made.machines.change(name, ({ golden: _, ...current }) =>
    current.attempt === attempt ? current : undefined,
  );
  return await ask(expectedAttempt(name, plain, attempt), made, isRepeated);
});

async function ask(machine: Machine, made: Services, isRepeated: boolean): Promise<Progress> {
  const { name, pool, size, golden, image, zone, priority, hand } = machine;
  const { vm, nic, disk } = machine.resources;
  const customData =
    pool === IMAGE_BUILDERS ? renderBuilderCloudInit(image) : await customDataOf(machine, made, isRepeated);
  const tags = { ...hand?.tags, 'berth-machine': name, 'berth-pool': pool };
  const progress = await made.cloud.createVirtualMachine({
    name: vm,
    nic,
    disk,
    size,
    image: golden ?? image,
    customData,
    tags,
    priority,
    ...(zone !== undefined && { zone }),
    ...(hand !== undefined &&
      hand.sshKeys.length > 0 && { admin: { user: hand.adminUser, sshKeys: hand.sshKeys } }),
  });
  if (progress.status !== 'refused' || !isRepeated) return progress;
  // One that is there, and failed, will not come otherwise.
  return { ...progress, uncertain: (await made.cloud.virtualMachine(vm)) === undefined };
}

const customDataOf = async (
  { name, image, golden, hand }: Machine,
  made: Services,
  isRepeated: boolean,
): Promise<string> => {
  const ours = renderCloudInit({
    machine: name,
    appUrl: `https://${made.settings.hostname}`,
    engineCaCertificate: (await made.engineCa()).certificatePem,
    network: made.settings.network,
    image,
    installed: golden !== undefined,
    byHand: hand !== undefined,
  });
  if (hand?.customData !== true) return ours;
  const users = await made.secrets.open(customDataSecret(name));
  // It is forgotten when the machine registers: asked for again, the VM is there and keeps what it was given.
  if (users === undefined && isRepeated) return ours;
  if (users === undefined)
    throw new Terminal({
      code: 'custom-data-missing',
      message: `The cloud-init data that ${name} was asked for with is not there any more.`,
      remedy: `Remove it and ask again: berth machine rm ${name}`,
    });
  return withUserData(ours, new TextDecoder().decode(users));
};

/** The address and DNS name at which the user of a machine made by hand reaches it: its certificate names them. */
async function publicNameOf(
  { resources: { publicIp } }: Machine,
  { publicAccess }: Pick<Services, 'publicAccess'>,
): Promise<Pick<Machine, 'publicAddress' | 'hostname'>> {
  const found = publicIp === undefined ? undefined : await publicAccess.publicIp(publicIp);
  return {
    ...(found?.address !== undefined && { publicAddress: found.address }),
    ...(found?.hostname !== undefined && { hostname: found.hostname }),
  };
}

/** ARM's codes for a body that names what is not there. */
const isAbsent = (code: string): boolean =>
  /^(InvalidResourceReference|ResourceNotFound|NotFound)$/.test(code);
