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
  const { key, owner, revision, failure, stopped, release } = input;
  let owned = false;
  const service = await stores.services.update(...placeOf.service(key), (current) => {
    owned = current?.owner === owner;
    if (current === undefined || !owned) return undefined;
    const { owner: _, ...rest } = current;
    return {
      ...rest,
      ...(release ? {} : { owner, epoch: (current.epoch ?? 0) + 1 }),
      ...ending(current, revision, { failure, stopped }, ports.now()),
    };
  });
  if (service === undefined || !owned) return { outcome: 'superseded' };
  if (service.removing && failure === undefined) await forgetService(stores, service);
  else await noteEnd(ports, input);
  const previous =
    failure === undefined || service.healthyRevision === undefined
      ? undefined
      : await stores.revisions.get(...placeOf.revision(key, service.healthyRevision));
  for (let old = revision - KEPT_REVISIONS; old > 0 && old > revision - KEPT_REVISIONS - 3; old -= 1)
    if (old !== service.healthyRevision) await stores.revisions.delete(...placeOf.revision(key, old));
  return { outcome: 'recorded', ...(previous && { previous: previous.value }), epoch: service.epoch };
}

/** For the history of rollouts: the first end of a revision's, since repairs end too. */
async function noteEnd(
  { stores, now }: WorkloadPorts,
  { key, revision, failure }: RecordRollout,
): Promise<void> {
  await stores.revisions.update(...placeOf.revision(key, revision), (current) => {
    if (current === undefined || current.ended !== undefined) return undefined;
    const at = now().toISOString();
    const { code, reason } = failure ?? {};
    return { ...current, ended: failure ? { state: 'failed', at, code, reason } : { state: 'done', at } };
  });
}

/** A repair of the older, healthy revision after a failed rollout does not make the failure undone. */
function ending(
  service: Service,
  revision: number,
  { failure, stopped }: { readonly failure: Failure | undefined; readonly stopped: boolean | undefined },
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
          ...(stopped && { stopped }),
        };
  return { ...healthy, rollout };
}
