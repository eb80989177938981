import type { ApplicationSpec } from '../model/application.ts';
import { Terminal } from '../model/errors.ts';
import { parseImageReference } from '../model/image.ts';
import type { EnvironmentName } from '../model/names.ts';
import type { PlanBase, PlanPins } from '../model/plan.ts';
import type { Service } from '../model/service.ts';
import type { ImageResolver } from './image-resolver.ts';
import { canonical } from './same-spec.ts';
import { placeOf, type Stores } from './stores.ts';

/** The state that a deployment would change: of the application, its services and jobs, and the pools that it names. */
export async function planBase(
  stores: Stores,
  environment: EnvironmentName,
  spec: ApplicationSpec,
): Promise<PlanBase> {
  const range = { partition: environment, from: `${spec.name}.`, to: `${spec.name}/` };
  const found = await stores.tables.read('applications', ...placeOf.application(environment, spec.name));
  const { deployedAt } = found?.values ?? {};
  const base: PlanBase = {
    application: typeof deployedAt === 'string' ? deployedAt : null,
    services: {},
    jobs: {},
    pools: {},
  };
  for await (const { value } of stores.services.list(range))
    base.services[value.key.service] = stateOf(value);
  for await (const { value } of stores.jobs.list(range)) base.jobs[value.key.job] = value.specAt;
  for (const name of Object.keys(spec.pools)) {
    const pool = await stores.pools.get(...placeOf.pool(name));
    base.pools[name] = pool === undefined ? '' : canonical(pool.value);
  }
  return base;
}

/** Its wish, its newest revision, and whether that failed: not how its replicas are, which Berth mends by itself. */
const stateOf = ({ specAt, revision, rollout, refused, removing }: Service): string =>
  [
    specAt,
    `revision ${revision ?? 'none'}`,
    ...(rollout.state === 'failed' ? ['failed'] : []),
    ...(refused === undefined ? [] : [`refused ${refused.digest}`]),
    ...(removing ? ['removing'] : []),
  ].join(', ');

/**
 * Refuses a plan if anything that it was made on has changed since.
 * @throws Terminal `plan-stale`
 */
export async function refuseStale(
  stores: Stores,
  images: ImageResolver,
  environment: EnvironmentName,
  spec: ApplicationSpec,
  { base, digests }: PlanPins,
): Promise<void> {
  const now = await planBase(stores, environment, spec);
  const changed: string[] = [];
  if (now.application !== base.application)
    changed.push(
      now.application === null
        ? `application ${spec.name} is gone`
        : `application ${spec.name} was deployed at ${now.application}`,
    );
  for (const kind of ['services', 'jobs', 'pools'] as const)
    for (const name of new Set([...Object.keys(base[kind]), ...Object.keys(now[kind])]))
      if (base[kind][name] !== now[kind][name])
        changed.push(changeOf(kind, name, base[kind][name], now[kind][name]));
  for (const [name, service] of Object.entries(spec.services)) {
    const pinned = digests[name];
    if (pinned === undefined) {
      changed.push(`service ${name} is not in the plan`);
      continue;
    }
    const reference = parseImageReference(service.image);
    const wanted = pinned === null ? reference : { ...reference, tag: undefined, digest: pinned };
    const there = await images.resolve(wanted);
    if (pinned === null && there !== undefined)
      changed.push(`the image ${service.image} of ${name} was pushed`);
    if (pinned !== null && there === undefined)
      changed.push(
        `the image ${service.image} of ${name} (${pinned.slice(0, 19)}) is gone from the registry`,
      );
  }
  if (changed.length === 0) return;
  throw new Terminal({
    code: 'plan-stale',
    status: 409,
    message: `The plan for ${spec.name} in ${environment} no longer holds. Since it was made: ${changed.join('; ')}. Nothing was changed.`,
    remedy: 'Make another plan, look at it, and apply that: berth plan FILE --out plan.json',
  });
}

function changeOf(
  kind: 'services' | 'jobs' | 'pools',
  name: string,
  before?: string,
  after?: string,
): string {
  const word = { services: 'service', jobs: 'job', pools: 'pool' }[kind];
  if (kind === 'pools') return `pool ${name} was changed`;
  if (after === undefined) return `${word} ${name} is gone`;
  return before === undefined
    ? `${word} ${name} was made`
    : `${word} ${name} was changed (${before} → ${after})`;
}
