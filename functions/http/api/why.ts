import { whyService as whyRoute } from '../../../shared/api/routes/why.ts';
import { serviceId } from '../../../shared/model/service.ts';
import { effectiveRevision } from '../../../shared/workloads/roll-out.ts';
import { all, placeOf } from '../../../shared/workloads/stores.ts';
import { homesOf } from '../../../shared/workloads/volumes.ts';
import { whyService } from '../../../shared/workloads/why.ts';
import { sightPool } from '../../sight-pool.ts';
import { endpoint } from '../endpoint.ts';
import { serviceAt } from './services.ts';

export const why = endpoint(whyRoute, async ({ params, services }) => {
  const { stores, now } = services;
  const service = await serviceAt(stores, params);
  const number = effectiveRevision(service);
  const { accepted } = service;
  const revision =
    number === undefined || accepted?.number === number
      ? accepted
      : (await stores.revisions.get(...placeOf.revision(params, number)))?.value;
  const [replicas, sight] = await Promise.all([
    all(stores.replicas.list({ partition: serviceId(params) })),
    sightPool((revision?.spec ?? service.spec).pool, services),
  ]);
  const spec = revision?.spec ?? service.spec;
  return whyService({
    service,
    homes: await homesOf(stores, params, spec),
    revision: number === undefined ? undefined : revision,
    replicas,
    sight,
    now: now(),
  });
});
