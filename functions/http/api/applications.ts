import {
  deleteApplication,
  getApplication,
  listApplications,
  putApplication,
} from '../../../shared/api/routes/applications.ts';
import { admitRoutes } from '../../../shared/ingress/admit-routes.ts';
import { priceOf } from '../../../shared/machines/offerings/prices.ts';
import { poolFaults } from '../../../shared/machines/pool-faults.ts';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { Invalid } from '../../../shared/model/invalid.ts';
import type { ApplicationName, EnvironmentName } from '../../../shared/model/names.ts';
import { keepContents } from '../../../shared/workloads/config-contents.ts';
import { admitPlacement } from '../../../shared/workloads/admit-placement.ts';
import { all, placeOf, type Stores } from '../../../shared/workloads/stores.ts';
import { refuseSystemEnvironment } from '../../../shared/workloads/system-environment.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { acceptCommand } from './accept-command.ts';
import { notFound } from './not-found.ts';

/** A removed application leaves a row that names nothing: an older command that arrives late must find it. */
const isEmpty = ({ services, jobs }: ApplicationSpec): boolean =>
  Object.keys(services).length === 0 && Object.keys(jobs).length === 0;

async function applicationAt(
  { applications }: Stores,
  environment: EnvironmentName,
  name: ApplicationName,
): Promise<ApplicationSpec> {
  const found = (await applications.get(...placeOf.application(environment, name)))?.value;
  if (found === undefined || isEmpty(found))
    throw notFound('application', `${name} in environment ${environment}`, 'List them: berth status');
  return found;
}

export const list = endpoint(listApplications, async ({ params, services }) => {
  const found = await all(services.stores.applications.list({ partition: params.environment }));
  const named = found.filter((application) => !isEmpty(application));
  return {
    applications: named.map(({ name, services, jobs }) => ({
      name,
      services: Object.keys(services),
      jobs: Object.keys(jobs),
    })),
  };
});

export const get = endpoint(getApplication, ({ params, services }) =>
  applicationAt(services.stores, params.environment, params.application),
);

export const put = endpoint(
  putApplication,
  async (call) => {
    const { environment, application: name } = call.params;
    if (call.body.name !== name)
      throw new Invalid({
        code: 'name-differs',
        message: `The path names the application ${name}, the body ${call.body.name}.`,
        remedy: `Send it to …/applications/${call.body.name}.`,
        issues: [{ path: 'name', message: `expected ${name}` }],
      });
    refuseSystemEnvironment(environment);
    await refuseImpossiblePools(call.body, call.services);
    const skus = await call.services.region.skus().catch(() => []);
    await admitPlacement(call.services.stores, environment, call.body, skus);
    await admitRoutes(call.services.tables, environment, call.body);
    const application = await keepContents(call.services.stores.configs, call.body);
    return acceptCommand(
      call,
      { type: 'deploy', environment, application },
      `/api/v1/environments/${environment}/services?application=${name}`,
    );
  },
  { durable: true },
);

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

export const remove = endpoint(
  deleteApplication,
  async (call) => {
    const { environment, application: name } = call.params;
    await applicationAt(call.services.stores, environment, name);
    return acceptCommand(
      call,
      { type: 'deploy', environment, application: ApplicationSpec.parse({ name }) },
      `/api/v1/environments/${environment}/services?application=${name}`,
    );
  },
  { durable: true },
);
