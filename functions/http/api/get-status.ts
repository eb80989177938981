import { openApi } from '../../../shared/api/open-api.ts';
import { getOpenApi, getStatus } from '../../../shared/api/routes/status.ts';
import { routes } from '../../../shared/api/routes.ts';
import { version } from '../../../shared/api/version.ts';
import { type Service, serviceId } from '../../../shared/model/service.ts';
import { all } from '../../../shared/workloads/stores.ts';
import { endpoint } from '../endpoint.ts';
import { viewsOf } from './pools.ts';
import { wantedOf } from './service-views.ts';

export const status = endpoint(getStatus, async ({ services, principal }) => {
  const { services: serviceRows, replicas, machines } = services.stores;
  const [found, containers, hosts, pools] = await Promise.all([
    all(serviceRows.list({})),
    all(replicas.list({})),
    all(machines.list({})),
    viewsOf(services),
  ]);
  const ownOf = ({ key }: Service) => containers.filter((one) => serviceId(one.key) === serviceId(key));
  return {
    version,
    time: new Date().toISOString(),
    registry: services.settings.hostname,
    location: services.settings.location,
    caller: { id: principal?.id ?? '', roles: [...(principal?.roles ?? [])] },
    services: { total: found.length, rollouts: countBy(found, ({ rollout }) => rollout.state) },
    replicas: {
      wanted: found.reduce((sum, service) => sum + wantedOf(service, ownOf(service), hosts), 0),
      byState: countBy(containers, (replica) => replica.status.state),
    },
    machines: { total: hosts.length, byState: countBy(hosts, (machine) => machine.status.state) },
    restingPools: pools.flatMap(({ name, resting }) =>
      resting === undefined ? [] : [{ pool: name, reason: resting }],
    ),
  };
});

let document: Record<string, unknown> | undefined;

export const description = endpoint(getOpenApi, async () => {
  document ??= openApi(routes);
  return document;
});

function countBy<T>(values: readonly T[], of: (value: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[of(value)] = (counts[of(value)] ?? 0) + 1;
  return counts;
}
