import type { ServiceName } from '../model/names.ts';
import { type ServiceKey, serviceId } from '../model/service.ts';
import { noteWaits } from './note-waits.ts';
import type { DependenciesOutcome } from './outcomes.ts';
import { ownedService } from './ownership.ts';
import type { WorkloadPorts } from './ports.ts';
import type { AwaitDependencies } from './replica-activities.ts';
import { all, placeOf, type Stores } from './stores.ts';

/** How long one look waits for them; milliseconds. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 1_000;

/** Waits a while until the services that this one depends on are healthy, and says which are not. */
export async function awaitDependencies(
  ports: Pick<WorkloadPorts, 'stores' | 'now' | 'sleep'>,
  { key, owner, dependsOn }: AwaitDependencies,
): Promise<DependenciesOutcome> {
  const { stores, now, sleep } = ports;
  const began = now().getTime();
  for (;;) {
    if ((await ownedService(stores, key, owner)) === undefined) return { outcome: 'superseded' };
    const missing = (await Promise.all(dependsOn.map((name) => missingOf(stores, key, name)))).filter(
      (text) => text !== undefined,
    );
    if (missing.length === 0) {
      await noteWaits(stores, key, owner, undefined);
      return { outcome: 'healthy' };
    }
    const reason = `it waits for services that it depends on: ${missing.join('; ')}`;
    await noteWaits(stores, key, owner, reason);
    const at = now().getTime();
    if (at - began >= PATIENCE_MS) return { outcome: 'waiting', reason, at };
    await sleep(PAUSE_MS);
  }
}

/** Why a service is not healthy. One whose rollout failed is, if what served before does. */
async function missingOf(
  { services, replicas }: Stores,
  { environment, application }: ServiceKey,
  name: ServiceName,
): Promise<string | undefined> {
  const key = { environment, application, service: name };
  const service = (await services.get(...placeOf.service(key)))?.value;
  if (service === undefined || service.removing) return `${name} is not deployed`;
  const { rollout, spec, healthyRevision } = service;
  if (rollout.state !== 'done' && rollout.state !== 'failed') return `${name} is ${rollout.state}`;
  const found = await all(replicas.list({ partition: serviceId(key) }));
  const healthy = found.filter(({ status }) => status.state === 'healthy').length;
  if (healthyRevision !== undefined && (healthy > 0 || spec.replicas === 0)) return undefined;
  return `${name} is ${rollout.state}, ${healthy} of ${spec.replicas} healthy`;
}
