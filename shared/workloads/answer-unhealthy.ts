import { type Replica, type ServiceKey, serviceId } from '../model/service.ts';
import { Conflict } from '../state/tables.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { answerRepair } from './answer-repair.ts';

/** What a machine says of a replica that does not answer any more. */
interface Unhealthy {
  readonly key: ServiceKey;
  readonly container: string;
  readonly reason: string;
  readonly dead: boolean;
}

/**
 * The replica is taken out of those that get requests, and its service is repaired: whether it comes back is asked until
 * its deadline; one that its liveness check calls dead is made anew at once.
 */
export async function answerUnhealthy(
  answering: Answering,
  cause: Cause,
  { key, container, reason, dead }: Unhealthy,
): Promise<readonly Start[]> {
  const { replicas } = answering.stores;
  let found = false;
  for await (const stored of replicas.list({ partition: serviceId(key) })) {
    const replica: Replica = stored.value;
    if (replica.containerId !== container) continue;
    const { state } = replica.status;
    // One that is being stopped, or is asked for its health just now, is somebody's already.
    found = state === 'unhealthy';
    if (state !== 'healthy' && state !== 'standby') continue;
    const since = answering.now.toISOString();
    const status = { state: 'unhealthy', since, reason, ...(dead && { dead }) } as const;
    try {
      await replicas.replace(stored, { ...replica, status });
      found = true;
    } catch (error) {
      // Whoever changed it knows more; the machine says it again.
      if (!(error instanceof Conflict)) throw error;
    }
  }
  return found ? await answerRepair(answering, cause, { key, container }) : [];
}
