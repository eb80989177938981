import { parseImageReference } from '../model/image.ts';
import { type Service, type ServiceKey, serviceId } from '../model/service.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { changeService } from './change-service.ts';
import { placeOf, type Stores } from './stores.ts';

/** Takes a service to no replicas; its records go when its last container has gone. */
export async function removeService(
  answering: Answering,
  cause: Cause,
  key: ServiceKey,
  instanceId: string,
): Promise<Start | undefined> {
  let never: Service | undefined;
  const start = await changeService(answering, cause, key, instanceId, (service) => {
    if (service === undefined || service.removing) return undefined;
    if (service.accepted === undefined) {
      never = service;
      return undefined;
    }
    // What goes for good goes at once.
    const { digest } = service.accepted;
    const { rollout: _, ...spec } = service.accepted.spec;
    return {
      service: { ...service, removing: true },
      accept: { spec: { ...spec, replicas: 0 }, digest },
    };
  });
  if (never !== undefined) await forgetService(answering.stores, never);
  return start;
}

/** Deletes the records of a service that has no containers: its rule and revisions, and last its row. */
export async function forgetService(stores: Stores, service: Service): Promise<void> {
  const { key, spec } = service;
  await stores.rules.delete(...placeOf.rule(parseImageReference(spec.image), key));
  for await (const { partition, row } of stores.revisions.list({ partition: serviceId(key) }))
    await stores.revisions.delete(partition, row);
  await stores.services.delete(...placeOf.service(key));
}
