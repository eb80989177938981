import type { KnownSku } from '../machines/offerings/offering.ts';
import type { ApplicationSpec } from '../model/application.ts';
import { Invalid } from '../model/invalid.ts';
import type { EnvironmentName } from '../model/names.ts';
import type { PoolSpec } from '../model/pool.ts';
import type { ServiceKey } from '../model/service.ts';
import { placementFaults } from '../scheduling/placement-faults.ts';
import { portClaimants } from './port-claimants.ts';
import { all, type Stores } from './stores.ts';

/**
 * Refuses what could never be placed.
 * @param skus sizes of the region, where they are known
 * @throws Invalid `placement-impossible`
 */
export async function admitPlacement(
  stores: Pick<Stores, 'pools' | 'machines' | 'services' | 'jobs'>,
  environment: EnvironmentName,
  spec: ApplicationSpec,
  skus?: readonly KnownSku[],
): Promise<void> {
  if (!isPlaced(spec)) return;
  const [machines, services, jobs] = await Promise.all([
    all(stores.machines.list({})),
    all(stores.services.list({ partition: environment })),
    all(stores.jobs.list({ partition: environment })),
  ]);
  const pools = new Map<string, PoolSpec>();
  for await (const { row, value } of stores.pools.list({})) pools.set(row, value);
  const others = new Map<string, string>();
  for (const { key, spec: other } of services)
    if (key.application !== spec.name) others.set(`${key.application}/${key.service}`, other.pool);
  for (const { key, spec: other } of jobs)
    if (key.application !== spec.name) others.set(`${key.application}/${key.job}`, other.pool);
  const isOwn = (key: ServiceKey) => key.environment === environment && key.application === spec.name;
  const neighbours = await portClaimants(stores, environment, isOwn);
  const issues = placementFaults(spec, { pools, machines, others, neighbours, skus });
  if (issues.length > 0)
    throw new Invalid({
      code: 'placement-impossible',
      message: issues.map(({ path, message }) => `${path}: ${message}`).join('\n'),
      remedy:
        'Nothing was changed. Mend the placement, or give the pool what it lacks and deploy again (docs/placement.md).',
      issues,
    });
}

/** What any size has: cores, MiB. */
const SMALL = { cpu: 1, memory: 512 };

/** Whether anything of it says where it is to be: most say nothing, and then nothing is read. */
const isPlaced = ({ services, jobs }: ApplicationSpec): boolean =>
  [...Object.values(services), ...Object.values(jobs)].some(
    (part) =>
      part.placement !== undefined ||
      part.resources.cpu > SMALL.cpu ||
      part.resources.memory > SMALL.memory ||
      (part.resources.gpu ?? 0) > 0 ||
      ('ports' in part && (part.ports?.length ?? 0) > 0),
  );
