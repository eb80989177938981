import {
  getService,
  listReplicas,
  listRevisions,
  listServices,
  restartService,
  scaleService,
} from '../../../shared/api/routes/services.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { type Service, type ServiceKey, serviceId } from '../../../shared/model/service.ts';
import { all, placeOf, type Stores } from '../../../shared/workloads/stores.ts';
import { endpoint } from '../endpoint.ts';
import { acceptCommand } from './accept-command.ts';
import { notFound } from './not-found.ts';
import { replicasOf, replicaViews, serviceSummary, servicesIn } from './service-views.ts';

export async function serviceAt({ services }: Stores, key: ServiceKey): Promise<Service> {
  const found = await services.get(...placeOf.service(key));
  if (found === undefined)
    throw notFound(
      'service',
      `${key.service} of application ${key.application} in environment ${key.environment}`,
      `List them: berth ps --environment ${key.environment}`,
    );
  return found.value;
}

/** Read only where a service runs once on each. */
const machinesFor = async ({ machines }: Stores, found: readonly Service[]): Promise<Machine[]> =>
  found.some(({ spec }) => spec.mode === 'one-per-machine') ? all(machines.list({})) : [];

export const list = endpoint(listServices, async ({ params, query, services }) => {
  const rows = services.stores;
  const found = await servicesIn(rows, params.environment, query.application);
  const machines = await machinesFor(rows, found);
  return {
    services: await Promise.all(
      found.map(async (service) => serviceSummary(service, await replicasOf(rows, service.key), machines)),
    ),
  };
});

export const get = endpoint(getService, async ({ params, services }) => {
  const rows = services.stores;
  const service = await serviceAt(rows, params);
  const replicas = await replicasOf(rows, params);
  return {
    service: serviceSummary(service, replicas, await machinesFor(rows, [service])),
    spec: service.spec,
    replicas: await replicaViews(replicas, params.environment, services.serviceSecrets),
  };
});

export const revisions = endpoint(listRevisions, async ({ params, services }) => {
  const rows = services.stores;
  const { accepted } = await serviceAt(rows, params);
  const found = await all(rows.revisions.list({ partition: serviceId(params) }));
  /** The newest is in the service's own row first. */
  const isMissing = accepted !== undefined && found.every(({ number }) => number !== accepted.number);
  return { revisions: (isMissing ? [...found, accepted] : found).reverse() };
});

export const replicas = endpoint(listReplicas, async ({ params, query, services }) => {
  const rows = services.stores;
  const found = await servicesIn(rows, params.environment, query.application);
  const lists = await Promise.all(found.map(({ key }) => replicasOf(rows, key)));
  return { replicas: await replicaViews(lists.flat(), params.environment, services.serviceSecrets) };
});

const locationOf = (key: ServiceKey): string =>
  `/api/v1/environments/${key.environment}/services/${key.application}/${key.service}`;

export const scale = endpoint(
  scaleService,
  async (call) => {
    await serviceAt(call.services.stores, call.params);
    return acceptCommand(
      call,
      { type: 'scale', ...call.params, replicas: call.body.replicas },
      locationOf(call.params),
    );
  },
  { durable: true },
);

export const restart = endpoint(
  restartService,
  async (call) => {
    await serviceAt(call.services.stores, call.params);
    return acceptCommand(call, { type: 'restart', ...call.params }, locationOf(call.params));
  },
  { durable: true },
);
