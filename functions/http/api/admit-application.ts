import { admitRoutes } from '../../../shared/ingress/admit-routes.ts';
import { priceOf } from '../../../shared/machines/offerings/prices.ts';
import { poolFaults } from '../../../shared/machines/pool-faults.ts';
import type { ApplicationSpec } from '../../../shared/model/application.ts';
import { Invalid } from '../../../shared/model/invalid.ts';
import type { ApplicationName, EnvironmentName } from '../../../shared/model/names.ts';
import { admitPlacement } from '../../../shared/workloads/admit-placement.ts';
import type { Services } from '../../services.ts';

/** @throws Invalid `name-differs` */
export function refuseOtherName(name: ApplicationName, body: ApplicationSpec): void {
  if (body.name === name) return;
  throw new Invalid({
    code: 'name-differs',
    message: `The path names the application ${name}, the body ${body.name}.`,
    remedy: `Send it to …/applications/${body.name}.`,
    issues: [{ path: 'name', message: `expected ${name}` }],
  });
}

/**
 * What could never be, before anything of it is accepted: pools, placement, routes of others.
 * @throws Invalid `pool-invalid`, `placement-impossible`; what admitRoutes throws
 */
export async function admitApplication(
  services: Pick<Services, 'region' | 'settings' | 'stores' | 'tables'>,
  environment: EnvironmentName,
  spec: ApplicationSpec,
): Promise<void> {
  await refuseImpossiblePools(spec, services);
  const skus = await services.region.skus().catch(() => []);
  await admitPlacement(services.stores, environment, spec, skus);
  await admitRoutes(services.tables, environment, spec);
}

/** Pools of which no machine could ever come. While Azure does not answer, they are taken as they are. */
async function refuseImpossiblePools(
  { name, pools }: ApplicationSpec,
  { region, settings }: Pick<Services, 'region' | 'settings'>,
): Promise<void> {
  if (Object.keys(pools).length === 0) return;
  const skus = await region.skus().catch(() => []);
  if (skus.length === 0) return;
  const { location } = settings;
  const issues = poolFaults(pools, {
    location,
    skus,
    priceOf: (size, priority) => priceOf(location, size, priority),
  });
  if (issues.length > 0)
    throw new Invalid({
      code: 'pool-invalid',
      message: `The application ${name} has pools that could not be: ${issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}.`,
      remedy: 'Mend what `issues` names, and deploy again; nothing was changed.',
      issues,
    });
}
