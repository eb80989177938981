import type { Engine, Mount } from '../docker/engine.ts';
import { poolOf } from '../machines/machine-names.ts';
import type { ServiceSpec, SidecarSpec } from '../model/application.ts';
import { Terminal } from '../model/errors.ts';
import type { MachineName } from '../model/names.ts';
import { PoolName } from '../model/names.ts';
import type { ServiceKey } from '../model/service.ts';
import { namedVolumes, type VolumeUse } from '../model/volume.ts';
import { type VolumeKey, type VolumeRecord, volumeId, volumeReservation } from '../model/volume-record.ts';
import { Conflict } from '../state/tables.ts';
import type { WorkloadPorts } from './ports.ts';
import { labels } from './replica-container.ts';
import { placeOf, type Stores } from './stores.ts';

/** Volumes of its application that a replica's containers see, sidecars among them. */
export const volumesOf = ({
  volumes,
  sidecars,
}: Pick<ServiceSpec, 'volumes' | 'sidecars'>): readonly string[] => [
  ...new Set([
    ...namedVolumes(volumes),
    ...Object.values<SidecarSpec>(sidecars ?? {}).flatMap((sidecar) => namedVolumes(sidecar.volumes)),
  ]),
];

const keysOf = ({ environment, application }: ServiceKey, spec: ServiceSpec, slot: number): VolumeKey[] =>
  volumesOf(spec).map((volume) => ({ environment, application, volume, slot }));

export type Home =
  /** It has no volume, or none yet. */
  | { readonly home: 'anywhere' }
  /** Its volumes are there, and it can be nowhere else. */
  | { readonly home: 'there'; readonly machine: MachineName; readonly why: string }
  /** It can be nowhere. */
  | { readonly home: 'nowhere'; readonly why: string };

/** Where the replica of a slot has to be, since its volumes are there. */
export async function homeOf(
  stores: Stores,
  key: ServiceKey,
  spec: ServiceSpec,
  slot: number,
): Promise<Home> {
  const keys = keysOf(key, spec, slot);
  if (keys.length === 0) return { home: 'anywhere' };
  const found = await Promise.all(keys.map((one) => stores.volumes.get(...placeOf.volume(one))));
  const records = found.flatMap((one) => (one === undefined ? [] : [one.value]));
  const [first] = records;
  if (first === undefined) return { home: 'anywhere' };
  const { machine } = first;
  const other = records.find((record) => record.machine !== machine);
  if (other !== undefined)
    return {
      home: 'nowhere',
      why: `volume ${volumeId(first.key)} is on machine ${machine} and volume ${volumeId(other.key)} on machine ${other.machine}, so slot ${slot} can be on neither: remove one with ${removalOf(other.key)}`,
    };
  const there = (await stores.machines.get(...placeOf.machine(poolOf(machine) ?? '', machine)))?.value;
  const state = there?.status.state;
  if (state === undefined || state === 'failed')
    return {
      home: 'nowhere',
      why: `volume ${volumeId(first.key)} was on machine ${machine}, which is gone, and slot ${slot} does not start with an empty one unless somebody says so: ${removalOf(first.key)} --forget`,
    };
  // Before anything of the slot is ended for the sake of what cannot start.
  if (there?.cordon !== undefined)
    return {
      home: 'nowhere',
      why: `volume ${volumeId(first.key)} is on machine ${machine}, where nothing new starts (${there.cordon.reason}), and nowhere else: berth machine uncordon ${machine}`,
    };
  return {
    home: 'there',
    machine,
    why: `volume ${volumeId(first.key)} is on machine ${machine}, so slot ${slot} can be there alone`,
  };
}

/** Where each slot of a service has to be. */
export async function homesOf(
  stores: Stores,
  key: ServiceKey,
  spec: ServiceSpec,
): Promise<ReadonlyMap<number, Home>> {
  if (volumesOf(spec).length === 0) return new Map();
  const slots = Array.from({ length: spec.replicas }, (_, slot) => slot);
  return new Map(
    await Promise.all(slots.map(async (slot) => [slot, await homeOf(stores, key, spec, slot)] as const)),
  );
}

const removalOf = ({ environment, application, volume, slot }: VolumeKey): string =>
  `berth volumes rm ${application}/${volume} --slot ${slot} --environment ${environment}`;

/**
 * Records that a slot's volumes are on this machine, before anything is made there; and has the machine kept.
 * @returns false if one is elsewhere: another service of the slot was faster
 */
export async function claimVolumes(
  { stores, capacity, now }: Pick<WorkloadPorts, 'stores' | 'capacity' | 'now'>,
  owner: { readonly key: ServiceKey; readonly spec: ServiceSpec; readonly slot: number },
  machine: MachineName,
  instance: string,
): Promise<boolean> {
  for (const key of keysOf(owner.key, owner.spec, owner.slot)) {
    const record: VolumeRecord = { key, machine, made: false, createdAt: now().toISOString() };
    const there = await insertOrGet(stores, record);
    if (there.machine !== machine) return false;
    await capacity.reserve(PoolName.parse(poolOf(machine) ?? ''), {
      reservation: volumeReservation(key),
      group: volumeReservation(key),
      demand: { cpu: 0, memory: 0, port: false },
      avoid: [],
      owner: instance,
      found: { machine, port: undefined },
    });
  }
  return true;
}

async function insertOrGet({ volumes }: Stores, record: VolumeRecord): Promise<VolumeRecord> {
  const place = placeOf.volume(record.key);
  try {
    return (await volumes.insert(...place, record)).value;
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return (await volumes.get(...place))?.value ?? record;
  }
}

/**
 * Makes the volumes of a slot, once: one that was made and is not there any more is not made a second time.
 * @throws Terminal `volume-missing`
 */
export async function makeVolumes(
  { stores }: Pick<WorkloadPorts, 'stores'>,
  engine: Engine,
  key: ServiceKey,
  spec: ServiceSpec,
  slot: number,
): Promise<void> {
  for (const one of keysOf(key, spec, slot)) {
    const place = placeOf.volume(one);
    const record = (await stores.volumes.get(...place))?.value;
    const name = volumeId(one);
    if (record?.made === true) {
      if ((await engine.volumes.inspect(name)) === undefined) throw volumeMissing(one, record.machine);
      continue;
    }
    await engine.volumes.create({
      name,
      labels: { [labels.environment]: one.environment, [labels.volume]: name },
    });
    await stores.volumes.update(...place, (current) => current && { ...current, made: true });
  }
}

/** What a container of a slot sees of volumes, the machine's folders and memory. */
export const mountsOf = (
  uses: readonly VolumeUse[] | undefined,
  { environment, application }: Pick<ServiceKey, 'environment' | 'application'>,
  slot: number,
): readonly Mount[] =>
  (uses ?? []).map((use): Mount => {
    if (use.type === 'tmpfs') return { ...use, size: use.size, mode: use.mode };
    const { source, target, readOnly = false } = use;
    return use.type === 'host'
      ? { type: 'bind', source, target, readOnly }
      : {
          type: 'volume',
          name: volumeId({ environment, application, volume: source, slot }),
          target,
          readOnly,
        };
  });

const volumeMissing = (key: VolumeKey, machine: string) =>
  new Terminal({
    code: 'volume-missing',
    status: 409,
    message: `Volume ${volumeId(key)} was made on machine ${machine} and is not there any more: somebody removed it from the engine.`,
    remedy: `To start with an empty one: ${removalOf(key)} --forget`,
  });
