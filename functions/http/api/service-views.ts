import type { ReplicaView, ServiceSummary } from '../../../shared/api/routes/services.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import type { ApplicationName, EnvironmentName } from '../../../shared/model/names.ts';
import { routeUrl } from '../../../shared/model/route.ts';
import {
  type Replica,
  type Service,
  type ServiceKey,
  serviceId,
  templateOf,
} from '../../../shared/model/service.ts';
import { machineSlots, wantedReplicas } from '../../../shared/workloads/machine-slots.ts';
import { rolloutView } from '../../../shared/workloads/rollout-progress.ts';
import { staleOf } from '../../../shared/workloads/secret-users.ts';
import type { ServiceSecrets } from '../../../shared/workloads/service-secrets.ts';
import { all, type Stores } from '../../../shared/workloads/stores.ts';

/** Services of an environment, or of one of its applications. */
export async function servicesIn(
  stores: Stores,
  environment: EnvironmentName,
  application?: ApplicationName,
): Promise<Service[]> {
  const range = application === undefined ? {} : { from: `${application}.`, to: `${application}/` };
  return all(stores.services.list({ partition: environment, ...range }));
}

export const replicasOf = (stores: Stores, key: ServiceKey): Promise<Replica[]> =>
  all(stores.replicas.list({ partition: serviceId(key) }));

export const replicaView = (replica: Replica): ReplicaView => ({
  name: `${replica.slot}.g${replica.generation}`,
  ...replica,
});

/** The replicas of an environment, with the secrets of which each has an older value. */
export async function replicaViews(
  replicas: readonly Replica[],
  environment: EnvironmentName,
  secrets: Pick<ServiceSecrets, 'list'>,
): Promise<ReplicaView[]> {
  const views = replicas.map(replicaView);
  if (!views.some((view) => view.secrets !== undefined)) return views;
  const records = await secrets.list(environment);
  return views.map((view) => {
    const staleSecrets = staleOf(view, records);
    return staleSecrets.length === 0 ? view : { ...view, staleSecrets };
  });
}

/** That of the newest revision, which after a way back is not what was deployed; where a newer one is waited for or refused, that. */
const imageOf = ({ spec, accepted, refused, rollout }: Service): string =>
  accepted === undefined || refused !== undefined || rollout.state === 'waiting-for-image'
    ? spec.image
    : accepted.spec.image;

/** @param machines of all pools: those of a service that runs once on each say how many it has */
export function serviceSummary(
  service: Service,
  replicas: readonly Replica[],
  machines: readonly Machine[],
): ServiceSummary {
  const progress = rolloutView(service, replicas);
  const { key, spec, revision, healthyRevision, accepted, removing, rollout, refused } = service;
  return {
    key,
    image: imageOf(service),
    ...(accepted === undefined
      ? {}
      : { digest: accepted.digest, cause: accepted.cause, template: templateOf(accepted) }),
    ...(revision === undefined ? {} : { revision }),
    ...(healthyRevision === undefined ? {} : { healthyRevision }),
    removing,
    rollout,
    ...(progress && { progress }),
    ...(refused === undefined ? {} : { refused }),
    ...(spec.routes === undefined ? {} : { urls: spec.routes.map(routeUrl) }),
    replicas: {
      wanted: wantedOf(service, replicas, machines),
      healthy: replicas.filter((replica) => replica.status.state === 'healthy').length,
    },
  };
}

/** How many replicas a service is to have. */
export function wantedOf(
  { spec, accepted, removing }: Service,
  replicas: readonly Replica[],
  machines: readonly Machine[],
): number {
  const own = replicas.filter(({ revision }) => accepted !== undefined && revision === templateOf(accepted));
  return removing ? 0 : wantedReplicas(spec, machineSlots(spec, machines, own));
}
