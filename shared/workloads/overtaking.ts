import { type Replica, type Revision, type Service, templateOf } from '../model/service.ts';
import { BEGUN } from './pace.ts';

/**
 * What a revision of new containers keeps of a change of count whose rollout it overtakes. That change goes on to be what
 * serves, and what a failure goes back to: its containers were healthy before. It may not be there as a whole, and where
 * room is short never come to be: so many of it are counted on as are healthy now.
 * @param before the row as it is without the new revision
 */
export function overtaking(
  before: Service,
  revision: Revision,
  revisions: readonly Revision[],
  replicas: readonly Replica[],
): Partial<Pick<Service, 'healthyRevision' | 'progress'>> {
  const { accepted, healthyRevision, removing } = before;
  const healthy = revisions.find(({ number }) => number === healthyRevision);
  if (accepted === undefined || healthy === undefined || removing) return {};
  const template = templateOf(healthy);
  if ([template, templateOf(accepted)].includes(templateOf(revision))) return {};
  const progress = (served: number) => ({ progress: { ...BEGUN, revision: revision.number, served } });
  const known = servedOf(before);
  if (templateOf(accepted) !== template) return known === undefined ? {} : progress(known);
  if (accepted.number === healthyRevision) return {};
  const { mode, replicas: count } = accepted.spec;
  if (mode === 'one-per-machine') return { healthyRevision: accepted.number };
  const now = replicas.filter((one) => one.revision === template && one.status.state === 'healthy').length;
  return {
    healthyRevision: accepted.number,
    ...progress(Math.min(count, Math.max(healthy.spec.replicas, now))),
  };
}

/** Of a rollout that is overtaken itself: what it was counted to, not what it has left of it. */
const servedOf = ({ accepted, progress, rollout }: Service): number | undefined =>
  progress?.revision === accepted?.number && (rollout.state === 'rolling' || rollout.state === 'paused')
    ? progress?.served
    : undefined;
