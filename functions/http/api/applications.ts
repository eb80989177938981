import {
  deleteApplication,
  getApplication,
  listApplications,
  putApplication,
} from '../../../shared/api/routes/applications.ts';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import type { ApplicationName, EnvironmentName } from '../../../shared/model/names.ts';
import { keepContents } from '../../../shared/workloads/config-contents.ts';
import { all, placeOf, type Stores } from '../../../shared/workloads/stores.ts';
import { refuseSystemEnvironment } from '../../../shared/workloads/system-environment.ts';
import { endpoint } from '../endpoint.ts';
import { acceptCommand } from './accept-command.ts';
import { admitApplication, refuseOtherName } from './admit-application.ts';
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
    refuseOtherName(name, call.body);
    refuseSystemEnvironment(environment);
    await admitApplication(call.services, environment, call.body);
    const application = await keepContents(call.services.stores.configs, call.body);
    return acceptCommand(
      call,
      { type: 'deploy', environment, application },
      `/api/v1/environments/${environment}/services?application=${name}`,
    );
  },
  { durable: true },
);

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
