import type { ServiceSpec } from '../model/application.ts';
import type { Digest } from '../model/image.ts';
import { type Revision, type Service, type ServiceKey, serviceId, templateOf } from '../model/service.ts';
import { Conflict } from '../state/tables.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { observedOf } from './observed.ts';
import { overtaking } from './overtaking.ts';
import { rollOut, rollOutOf } from './roll-out.ts';
import { sameContainers, sameSpec } from './same-spec.ts';
import { all, placeOf } from './stores.ts';

/** What an event makes of a service: its new row, and the revision to accept with it. */
export interface ServiceChange {
  readonly service: Service;
  readonly accept?:
    | {
        readonly spec: ServiceSpec;
        readonly digest: Digest;
        /** Revision whose containers serve it too; absent: that of the accepted one, if they are the same. */
        readonly template?: number;
      }
    | undefined;
}

type Decided = ServiceChange | undefined;

const MOST_ATTEMPTS = 20;

/**
 * Changes a service's row and accepts a revision with it, once for each event.
 * The row changes first and holds the revision; table `revisions` follows, at the latest before the next change.
 * @param change told the row as it was read; it is told again if the row changed before its answer was written. What else
 *   it looks at, it must read itself: read before the row, it may be older than what another event made of the row
 * @returns the rollout to start; undefined if there is nothing to do, or nothing any more
 */
export async function changeService(
  { stores, now }: Answering,
  cause: Cause,
  key: ServiceKey,
  instanceId: string,
  change: (service: Service | undefined) => Decided | Promise<Decided>,
): Promise<Start | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const [stored, revisions, replicas] = await Promise.all([
      stores.services.get(...placeOf.service(key)),
      all(stores.revisions.list({ partition: serviceId(key) })),
      all(stores.replicas.list({ partition: serviceId(key) })),
    ]);
    const service = stored?.value;
    const accepted = service?.accepted;
    if (accepted !== undefined && !revisions.some(({ number }) => number === accepted.number)) {
      await writeRevision(stores, accepted);
      revisions.push(accepted);
    }
    const startOf = (row: Service, revision: Revision, instance: string): Start => {
      const healthy = revisions.find(({ number }) => number === row.healthyRevision);
      const input = rollOutOf(row, revision, healthy, cause.text, replicas.map(observedOf));
      return { orchestrator: rollOut.name, instanceId: instance, input };
    };
    const known = revisions.find((revision) => revision.cause === cause.text);
    if (service !== undefined && known !== undefined) {
      const going = known.number === service.revision && service.owner?.startsWith(cause.instanceId) === true;
      return going ? startOf(service, known, service.owner ?? instanceId) : undefined;
    }
    const wanted = await change(service);
    if (wanted === undefined) return undefined;
    const numbers = revisions.map(({ number }) => number);
    const revision: Revision | undefined = wanted.accept && {
      key,
      number: Math.max(service?.revision ?? 0, ...numbers, ...replicas.map((one) => one.revision)) + 1,
      ...templateFor(accepted, wanted.accept),
      ...wanted.accept,
      cause: cause.text,
      acceptedAt: now.toISOString(),
    };
    const next: Service = revision
      ? {
          ...wanted.service,
          revision: revision.number,
          accepted: revision,
          owner: instanceId,
          epoch: (wanted.service.epoch ?? 0) + 1,
          ...goingOn(wanted.service, accepted, revision),
          ...overtaking(wanted.service, revision, revisions, replicas),
        }
      : wanted.service;
    try {
      if (stored === undefined) await stores.services.insert(...placeOf.service(key), next);
      else await stores.services.replace(stored, next);
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === MOST_ATTEMPTS) throw error;
      continue;
    }
    if (revision === undefined) return undefined;
    await writeRevision(stores, revision);
    return startOf(next, revision, instanceId);
  }
}

/** Whether a service already goes, or went, to this specification and digest. */
export const isAccepted = (service: Service, spec: ServiceSpec, digest: Digest): boolean =>
  service.accepted !== undefined &&
  service.rollout.state !== 'failed' &&
  !service.removing &&
  service.accepted.digest === digest &&
  sameSpec(service.accepted.spec, spec);

/** A change that leaves the containers as they are also leaves a rollout where it is, and paused if it is. */
function goingOn(
  { rollout, progress, removing }: Service,
  accepted: Revision | undefined,
  revision: Revision,
): Pick<Service, 'rollout' | 'progress'> {
  const same = accepted !== undefined && templateOf(accepted) === templateOf(revision);
  if (!same || removing || (rollout.state !== 'rolling' && rollout.state !== 'paused'))
    return { rollout: { state: 'rolling' } };
  const kept =
    progress?.revision === accepted.number ? { ...progress, revision: revision.number } : undefined;
  const paused = rollout.state === 'paused' && rollout.why === 'asked';
  return { rollout: paused ? rollout : { state: 'rolling' }, ...(kept && { progress: kept }) };
}

/** A change of count alone keeps the containers that run. */
function templateFor(
  accepted: Revision | undefined,
  { spec, digest }: { spec: ServiceSpec; digest: Digest },
): { template?: number } {
  const same = accepted !== undefined && accepted.digest === digest && !sameSpec(accepted.spec, spec);
  return same && sameContainers(accepted.spec, spec) ? { template: templateOf(accepted) } : {};
}

async function writeRevision({ revisions }: Answering['stores'], revision: Revision): Promise<void> {
  try {
    await revisions.insert(...placeOf.revision(revision.key, revision.number), revision);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}
