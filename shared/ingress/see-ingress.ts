import { RESERVED_POOLS } from '../model/pool.ts';
import { serviceId } from '../model/service.ts';
import { all, placeOf, type Stores } from '../workloads/stores.ts';
import { allRoutes } from './claims.ts';
import { RECIPE } from './image/scripts.ts';
import { INGRESS } from './ingress-application.ts';
import { type IngressStores, readState } from './ingress-state.ts';
import type { IngressSeen } from './next-step.ts';

/** What there is of the ingress now. */
export async function seeIngress(ports: {
  readonly stores: Stores;
  readonly ingress: IngressStores;
  readonly now: () => Date;
}): Promise<IngressSeen> {
  const { stores, ingress, now } = ports;
  const [state, routes, machines, replicas, service] = await Promise.all([
    readState(ingress),
    allRoutes(stores.tables),
    all(stores.machines.list({})),
    all(stores.replicas.list({ partition: serviceId(INGRESS) })),
    stores.services.get(...placeOf.service(INGRESS)),
  ]);
  const healthy = replicas.filter(({ status }) => status.state === 'healthy');
  const ready = machines.filter(({ status }) => status.state === 'ready');
  const { pool, everyMachine, replicas: count } = state.settings;
  const inPool = ready.filter((machine) => machine.pool === pool);
  return {
    state,
    routes: routes.length,
    recipe: RECIPE,
    // Any machine with apt would do; those of the ingress's own pool are surely like those on which it runs.
    workshops: (inPool.length > 0
      ? inPool
      : ready.filter(({ pool: other }) => !RESERVED_POOLS.has(other))
    ).map(({ name }) => name),
    healthy: healthy.length,
    wanted: service === undefined ? 0 : everyMachine ? inPool.length : count,
    nics: healthy.flatMap(({ machine }) => {
      const nic = machines.find(({ name }) => name === machine)?.resources.nic;
      return nic === undefined ? [] : [nic];
    }),
    rolling: service?.value.rollout.state === 'rolling',
    present: machines.flatMap(({ resources: { nic } }) => nic ?? []),
    now: now().getTime(),
  };
}
