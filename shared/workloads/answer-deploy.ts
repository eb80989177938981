import { admitRoutes } from '../ingress/admit-routes.ts';
import { claimRoutes } from '../ingress/claims.ts';
import { keepIngress } from '../ingress/ingress-activities.ts';
import { ApplicationSpec, type ServiceSpec } from '../model/application.ts';
import { Terminal } from '../model/errors.ts';
import { type Digest, type ImageReference, parseImageReference } from '../model/image.ts';
import type { EnvironmentName, JobName, ServiceName } from '../model/names.ts';
import type { PlanPins } from '../model/plan.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import { documentOf, documentValues } from '../state/documents.ts';
import { Conflict } from '../state/tables.ts';
import { acceptImage } from './accept-image.ts';
import { admit } from './admit.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { changeService } from './change-service.ts';
import { refuseStale } from './plan-base.ts';
import { removeService } from './remove-service.ts';
import { canonical } from './same-spec.ts';
import { startIds } from './start-ids.ts';
import { placeOf } from './stores.ts';
import { refuseSystemEnvironment } from './system-environment.ts';

/**
 * Writes an application as its specification says: pools, jobs, services and the rules that bring them images. Services
 * whose image is in the registry roll out at once, the others with the push. What the specification no longer names goes.
 * A deployment that is older than the last one changes nothing, and so does one that is refused.
 */
export async function answerDeploy(
  answering: Answering,
  cause: Cause,
  environment: EnvironmentName,
  given: ApplicationSpec,
  pins?: PlanPins,
): Promise<readonly Start[]> {
  refuseSystemEnvironment(environment, cause.text);
  const { stores, images } = answering;
  // An answer that a crash interrupted goes on: what it has changed itself does not speak against the plan.
  const isBegun = pins !== undefined && (await deployedBy(stores, environment, given.name)) === cause.at;
  if (pins !== undefined && !isBegun) await refuseStale(stores, images, environment, given, pins);
  const spec = await admit(answering, environment, given);
  if (pins !== undefined && canonical(spec) !== canonical(given)) throw sidecarMoved(given.name);
  await admitRoutes(stores.tables, environment, spec);
  const routed = await claimRoutes(stores.tables, environment, spec, cause.at);
  if (!(await writeApplication(answering, cause, environment, spec))) {
    await restoreRoutes(answering, environment, spec.name);
    return [];
  }
  const application = spec.name;
  const inOrder = <T>(record: Record<string, T>) =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  await Promise.all([
    ...inOrder(spec.pools).map(([name, pool]) => stores.pools.upsert(...placeOf.pool(name), pool)),
    ...inOrder(spec.jobs).map(([job, jobSpec]) => {
      const key = { environment, application, job: job as JobName };
      return stores.jobs.update(...placeOf.job(key), (current) =>
        current !== undefined && isLater(current.specAt, cause.at)
          ? undefined
          : { ...current, key, spec: jobSpec, specAt: cause.at },
      );
    }),
  ]);
  const gone = await othersOf(answering, environment, spec);
  const services = inOrder(spec.services) as [ServiceName, ServiceSpec][];
  const idOf = startIds(cause);
  const starts = await Promise.all([
    ...services.map(([service, serviceSpec], index) =>
      deployService(answering, cause, { environment, application, service }, serviceSpec, {
        instanceId: idOf(index),
        pinned: pins?.digests[service] ?? undefined,
      }),
    ),
    ...gone.map((key, index) => removeService(answering, cause, key, idOf(services.length + index))),
  ]);
  const keep = {
    orchestrator: keepIngress.name,
    instanceId: `${cause.instanceId}-ingress`,
    input: { cause: cause.text },
  };
  return [...starts.filter((start) => start !== undefined), ...(routed ? [keep] : [])];
}

async function deployedBy(
  { tables }: Answering['stores'],
  environment: EnvironmentName,
  name: ApplicationSpec['name'],
): Promise<unknown> {
  return (await tables.read('applications', ...placeOf.application(environment, name)))?.values['deployedAt'];
}

const sidecarMoved = (name: string): Terminal =>
  new Terminal({
    code: 'plan-stale',
    status: 409,
    message: `The plan for ${name} no longer holds: the image of a sidecar means another digest by now. Nothing was changed.`,
    remedy: 'Make another plan, look at it, and apply that: berth plan FILE --out plan.json',
  });

/** A newer deployment was written already: its routes are those that hold. */
async function restoreRoutes(
  { stores }: Answering,
  environment: EnvironmentName,
  name: ApplicationSpec['name'],
): Promise<void> {
  const found = await stores.tables.read('applications', ...placeOf.application(environment, name));
  const { deployedAt } = found?.values ?? {};
  if (found === undefined || typeof deployedAt !== 'string') return;
  await claimRoutes(stores.tables, environment, documentOf(ApplicationSpec, found.values), deployedAt);
}

/** First the row, then the rule, then the question to the registry: a push in between is seen by one of them. */
async function deployService(
  answering: Answering,
  cause: Cause,
  key: ServiceKey,
  spec: ServiceSpec,
  { instanceId, pinned }: { readonly instanceId: string; readonly pinned?: Digest | undefined },
): Promise<Start | undefined> {
  const { stores, images } = answering;
  let before: Service | undefined;
  let stale = false;
  await stores.services.update(...placeOf.service(key), (current) => {
    before = current;
    stale = current !== undefined && isLater(current.specAt, cause.at);
    if (stale) return undefined;
    const row = current ?? { key, rollout: { state: 'waiting-for-image' } };
    return { ...row, spec, specAt: cause.at, removing: false };
  });
  if (stale) return undefined;
  const reference = parseImageReference(spec.image);
  await changeRule(answering, key, before?.spec.image, reference);
  return await changeService(answering, cause, key, instanceId, async (service) => {
    if (service === undefined || isLater(service.specAt, cause.at)) return undefined;
    const digest = pinned ?? (await images.resolve(reference));
    if (digest === undefined) {
      const { refused: _, ...rest } = service;
      return { service: { ...rest, rollout: { state: 'waiting-for-image' } } };
    }
    return await acceptImage(answering, cause, service, { spec, digest });
  });
}

async function changeRule(
  { stores }: Answering,
  key: ServiceKey,
  before: string | undefined,
  reference: ImageReference,
): Promise<void> {
  const place = placeOf.rule(reference, key);
  await stores.rules.upsert(...place, key);
  const old = before === undefined ? undefined : placeOf.rule(parseImageReference(before), key);
  if (old !== undefined && old.join() !== place.join()) await stores.rules.delete(...old);
}

/** @returns false if a newer deployment was written already */
async function writeApplication(
  { stores }: Answering,
  cause: Cause,
  environment: EnvironmentName,
  spec: ApplicationSpec,
): Promise<boolean> {
  const [partition, row] = placeOf.application(environment, spec.name);
  for (let attempt = 1; ; attempt += 1) {
    const found = await stores.tables.read('applications', partition, row);
    const { deployedAt } = found?.values ?? {};
    if (typeof deployedAt === 'string' && isLater(deployedAt, cause.at)) return false;
    const values = { ...documentValues(ApplicationSpec.parse(spec)), deployedAt: cause.at };
    try {
      await stores.tables.commit('applications', partition, [
        found === undefined
          ? { kind: 'insert', row, values }
          : { kind: 'replace', row, values, etag: found.etag },
      ]);
      return true;
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === 20) throw error;
    }
  }
}

/** Services of the application that it no longer names; its jobs that it no longer names are deleted here. */
async function othersOf(
  { stores }: Answering,
  environment: EnvironmentName,
  spec: ApplicationSpec,
): Promise<ServiceKey[]> {
  const range = { partition: environment, from: `${spec.name}.`, to: `${spec.name}/` };
  for await (const { row, value } of stores.jobs.list(range))
    if (!Object.hasOwn(spec.jobs, value.key.job)) await stores.jobs.delete(environment, row);
  const gone: ServiceKey[] = [];
  for await (const { value } of stores.services.list(range))
    if (!Object.hasOwn(spec.services, value.key.service)) gone.push(value.key);
  return gone;
}

const isLater = (time: string, than: string): boolean => Date.parse(time) > Date.parse(than);
