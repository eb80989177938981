import { type Service, type ServiceKey, serviceId } from '../model/service.ts';
import type { Stored } from '../state/documents.ts';
import { Conflict } from '../state/tables.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { effectiveRevision, rollOut, rollOutOf } from './roll-out.ts';
import { all, placeOf, type Stores } from './stores.ts';

/**
 * A replica died, or the sweep found a difference: the revision that shall run is rolled out once more. A service that
 * a live orchestration owns is left to it: before it ends it looks at everything again.
 */
export async function answerRepair(
  { stores, isLive }: Answering,
  cause: Cause,
  { key, container }: { key: ServiceKey; container?: string | undefined },
): Promise<readonly Start[]> {
  const { instanceId } = cause;
  const [stored, revisions] = await Promise.all([
    stores.services.get(...placeOf.service(key)),
    all(stores.revisions.list({ partition: serviceId(key) })),
  ]);
  if (stored === undefined) return [];
  const service = stored.value;
  if (service.owner !== instanceId) {
    if (service.owner !== undefined && (await isLive(service.owner))) return [];
    if (container !== undefined && !(await isReplica(stores, key, container))) return [];
  }
  const { accepted } = service;
  if (accepted !== undefined && !revisions.some(({ number }) => number === accepted.number))
    revisions.push(accepted);
  const wanted = effectiveRevision(service);
  const revision = revisions.find(({ number }) => number === wanted);
  const healthy = revisions.find(({ number }) => number === service.healthyRevision);
  if (revision === undefined) return [];
  const owned = service.owner === instanceId ? service : await own(stores, stored, instanceId);
  if (owned === undefined) return [];
  const input = rollOutOf(owned, revision, healthy, cause.text);
  return [{ orchestrator: rollOut.name, instanceId, input }];
}

/** @returns undefined if the service changed meanwhile: whatever changed it brings a rollout of its own */
async function own(
  stores: Stores,
  stored: Stored<Service>,
  instanceId: string,
): Promise<Service | undefined> {
  const { value } = stored;
  const owned: Service = { ...value, owner: instanceId, epoch: (value.epoch ?? 0) + 1 };
  try {
    await stores.services.replace(stored, owned);
    return owned;
  } catch (error) {
    if (error instanceof Conflict) return undefined;
    throw error;
  }
}

/** Containers that a rollout removed die too; those have no row any more. */
async function isReplica(stores: Stores, key: ServiceKey, container: string): Promise<boolean> {
  for await (const { value } of stores.replicas.list({ partition: serviceId(key) }))
    if (value.containerId === container) return true;
  return false;
}
