import { deleteVolume, listVolumes, type VolumeView } from '../../../shared/api/routes/volumes.ts';
import { poolOf } from '../../../shared/machines/machine-names.ts';
import { Retryable, Terminal } from '../../../shared/model/errors.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { type Replica, serviceId } from '../../../shared/model/service.ts';
import { type VolumeRecord, volumeId, volumeReservation } from '../../../shared/model/volume-record.ts';
import { all, placeOf } from '../../../shared/workloads/stores.ts';
import { volumesOf } from '../../../shared/workloads/volumes.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

type Made = Pick<Services, 'stores'>;

export const list = endpoint(listVolumes, async ({ params, services }) => {
  const records = await all(services.stores.volumes.list({ partition: params.environment }));
  return { volumes: await Promise.all(records.map((record) => viewOf(record, services))) };
});

async function viewOf(record: VolumeRecord, made: Made): Promise<VolumeView> {
  const { key, machine, createdAt } = record;
  const state = isGone(await machineOf(record, made)) ? 'gone' : record.made ? 'there' : 'coming';
  return { key, machine, state, createdAt, usedBy: await usersOf(record, made) };
}

const machineOf = async ({ machine }: VolumeRecord, { stores }: Made): Promise<Machine | undefined> =>
  (await stores.machines.get(...placeOf.machine(poolOf(machine) ?? '', machine)))?.value;

const isGone = (machine: Machine | undefined): boolean =>
  machine === undefined || machine.status.state === 'failed';

/** Replicas of the slot, of services of the application that have the volume. */
async function usersOf({ key }: VolumeRecord, { stores }: Made): Promise<string[]> {
  const range = { partition: key.environment, from: `${key.application}.`, to: `${key.application}/` };
  const users: Replica[] = [];
  for (const service of await all(stores.services.list(range))) {
    const specs = [service.spec, service.accepted?.spec ?? service.spec];
    if (!specs.some((spec) => volumesOf(spec).includes(key.volume))) continue;
    const replicas = await all(stores.replicas.list({ partition: serviceId(service.key) }));
    users.push(...replicas.filter(({ slot }) => slot === key.slot));
  }
  return users.map(({ key: of, slot, generation }) => `${serviceId(of)}/${slot}.g${generation}`);
}

export const remove = endpoint(deleteVolume, async ({ params, query, services }) => {
  const { environment, application, volume, slot } = params;
  const key = { environment, application, volume, slot };
  const found = (await services.stores.volumes.get(...placeOf.volume(key)))?.value;
  if (found === undefined)
    throw notFound('volume', volumeId(key), `List them: berth volumes ls --environment ${environment}`);
  const users = await usersOf(found, services);
  if (users.length > 0)
    throw new Terminal({
      code: 'volume-in-use',
      status: 409,
      message: `Volume ${volumeId(key)} is that of ${users.join(', ')}.`,
      remedy: 'Scale the service down, or deploy it without the volume, and then remove it.',
    });
  const machine = await machineOf(found, services);
  if (!isGone(machine)) await removeThere(found, machine, query.forget, services);
  else if (!query.forget) throw notThere(found, 'is gone');
  const { capacity } = services.workloads;
  await capacity.release(poolOf(found.machine) ?? '', volumeReservation(key));
  await services.stores.volumes.delete(...placeOf.volume(key));
  return null;
});

async function removeThere(
  { key, machine: name }: VolumeRecord,
  machine: Machine | undefined,
  forget: boolean,
  { engineOf }: Pick<Services, 'engineOf'>,
): Promise<void> {
  try {
    const engine = await engineOf({ name, address: machine?.address ?? '' });
    await engine.volumes.remove(volumeId(key));
  } catch (error) {
    if (!(error instanceof Retryable)) throw error;
    if (!forget) throw notThere({ key, machine: name }, 'does not answer');
  }
}

const notThere = ({ key, machine }: Pick<VolumeRecord, 'key' | 'machine'>, how: string) =>
  new Terminal({
    code: 'volume-out-of-reach',
    status: 409,
    message: `Machine ${machine}, which has volume ${volumeId(key)}, ${how}.`,
    remedy:
      'With --forget the volume is given up: the slot starts with an empty one, wherever there is room.',
  });
