import type { RolloutStatus, Service } from '../model/service.ts';
import type { Failure } from './observed.ts';
import type { WorkloadPorts } from './ports.ts';
import { forgetService } from './remove-service.ts';
import type { RecordOutcome, RecordRollout } from './replica-activities.ts';
import { placeOf } from './stores.ts';

/** Older revisions than the last so many are deleted, except the one that serves. */
const KEPT_REVISIONS = 50;

/** Writes how a rollout ended into its service, and lets the service go. */
export async function recordRollout(ports: WorkloadPorts, input: RecordRollout): Promise<RecordOutcome> {
  const { stores } = ports;
  const { key, owner, revision, failure, release } = input;
  let owned = false;
  const service = await stores.services.update(...placeOf.service(key), (current) => {
    owned = current?.owner === owner;
    if (current === undefined || !owned) return undefined;
    const { owner: _, ...rest } = current;
    return {
      ...rest,
      ...(release ? {} : { owner }),
      ...ending(current, revision, failure, ports.now()),
    };
  });
  if (service === undefined || !owned) return { outcome: 'superseded' };
  if (service.removing && failure === undefined) await forgetService(stores, service);
  const previous =
    failure === undefined || service.healthyRevision === undefined
      ? undefined
      : await stores.revisions.get(...placeOf.revision(key, service.healthyRevision));
  for (let old = revision - KEPT_REVISIONS; old > 0 && old > revision - KEPT_REVISIONS - 3; old -= 1)
    if (old !== service.healthyRevision) await stores.revisions.delete(...placeOf.revision(key, old));
  return { outcome: 'recorded', ...(previous && { previous: previous.value }) };
}

/** A repair of the older, healthy revision after a failed rollout does not make the failure undone. */
function ending(
  service: Service,
  revision: number,
  failure: Failure | undefined,
  now: Date,
): Partial<Pick<Service, 'rollout' | 'healthyRevision'>> {
  const at = now.toISOString();
  const healthy = failure === undefined ? { healthyRevision: revision } : {};
  if (service.revision !== revision || service.rollout.state === 'waiting-for-image') return healthy;
  const rollout: RolloutStatus =
    failure === undefined
      ? { state: 'done', at }
      : {
          state: 'failed',
          at,
          code: failure.code,
          reason: failure.reason,
          ...(failure.exitCode !== undefined && { exitCode: failure.exitCode }),
          ...(failure.lastLines && { lastLines: [...failure.lastLines] }),
        };
  return { ...healthy, rollout };
}
