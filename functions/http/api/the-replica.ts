import { Terminal } from '../../../shared/model/errors.ts';
import type { Replica, ServiceKey } from '../../../shared/model/service.ts';
import { refuseSystemEnvironment } from '../../../shared/workloads/system-environment.ts';
import type { Services } from '../../services.ts';
import { notFound } from './not-found.ts';
import { replicasOf, replicaView } from './service-views.ts';
import { serviceAt } from './services.ts';

/** A replica that has a container. */
export type Running = Replica & { readonly containerId: string };

const RANK = { healthy: 0, standby: 1, running: 1, unhealthy: 2, exited: 3, lost: 4, reserved: 5 } as const;

/**
 * The replica that is named, by slot or slot and generation, or else the first that is healthy.
 * @throws Terminal `environment-reserved`, `service-not-found`, `replica-not-found`, 409 `replica-not-running`
 */
export async function theReplica(
  { stores }: Pick<Services, 'stores'>,
  key: ServiceKey,
  name: string | undefined,
): Promise<Running> {
  // Berth's own have keys that nobody is told: those of certificates.
  refuseSystemEnvironment(key.environment);
  await serviceAt(stores, key);
  const found = (await replicasOf(stores, key))
    .filter((one) => {
      const own = replicaView(one).name;
      return name === undefined || own === name || own.split('.')[0] === name;
    })
    .sort((a, b) => RANK[a.status.state] - RANK[b.status.state] || a.slot - b.slot);
  const best = found[0];
  if (best === undefined)
    throw notFound(
      'replica',
      `${name ?? 'at all'} of ${key.application}/${key.service} in environment ${key.environment}`,
      `List them: berth ps --environment ${key.environment}`,
    );
  const { containerId, status } = best;
  if (containerId === undefined || RANK[status.state] > 2)
    throw new Terminal({
      code: 'replica-not-running',
      status: 409,
      message: `Replica ${replicaView(best).name} of ${key.application}/${key.service} is ${status.state}.`,
      remedy: 'See why: berth ps, berth logs.',
    });
  return { ...best, containerId };
}
