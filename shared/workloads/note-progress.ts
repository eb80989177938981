import type { RolloutStatus, Service } from '../model/service.ts';
import type { NoteOutcome } from './outcomes.ts';
import type { WorkloadPorts } from './ports.ts';
import type { NoteProgress } from './replica-activities.ts';
import { placeOf } from './stores.ts';

/** Keeps how far a rollout is; a pause also lets the service go, since nobody stays only to wait. */
export async function noteProgress(ports: WorkloadPorts, input: NoteProgress): Promise<NoteOutcome> {
  const { key, owner, revision, progress, pause } = input;
  let noted = false;
  await ports.stores.services.update(...placeOf.service(key), (current) => {
    // A pause that was noted before its answer was lost.
    noted = current?.owner === owner || (current !== undefined && pause !== undefined && isPaused(current));
    if (current === undefined || current.owner !== owner) return undefined;
    const { owner: _, ...rest } = current;
    const { rollout } = current;
    const next: Service = {
      ...rest,
      rollout: pause ? pausedAs(rollout, pause, ports.now()) : goingOn(rollout),
      ...(progress && { progress: { revision, ...progress } }),
      ...(!pause && { owner }),
    };
    return next;
  });
  return noted ? { outcome: 'noted' } : { outcome: 'superseded' };
}

const isPaused = ({ rollout, owner }: Service): boolean => rollout.state === 'paused' && owner === undefined;

const goingOn = (rollout: RolloutStatus): RolloutStatus =>
  rollout.state === 'paused' && rollout.why !== 'asked' ? { state: 'rolling' } : rollout;

function pausedAs(
  rollout: RolloutStatus,
  { why, reason, until }: NonNullable<NoteProgress['pause']>,
  now: Date,
): RolloutStatus {
  // Somebody's own words, and the failure that everything stands still for, are kept.
  if (
    rollout.state === 'failed' ||
    (rollout.state === 'paused' && (why === 'asked' || rollout.reason === reason))
  )
    return rollout;
  return {
    state: 'paused',
    at: now.toISOString(),
    why,
    reason,
    ...(until !== undefined && { until: new Date(until).toISOString() }),
  };
}
