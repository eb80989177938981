import { z } from 'zod';
import { ApplicationSpec } from '../../model/application.ts';
import { ApplicationName } from '../../model/names.ts';
import { parseApplication } from '../../model/parse-application.ts';
import { Accepted } from '../accepted.ts';
import { inEnvironment, ofApplication } from '../parameters.ts';
import { route } from '../route.ts';

const list = '/api/v1/environments/{environment}/applications' as const;

export const listApplications = route({
  name: 'list-applications',
  method: 'GET',
  path: list,
  permission: 'applications.read',
  summary: 'The applications of an environment.',
  params: inEnvironment,
  answer: z.object({
    applications: z.array(
      z.object({ name: ApplicationName, services: z.array(z.string()), jobs: z.array(z.string()) }),
    ),
  }),
});

export const getApplication = route({
  name: 'get-application',
  method: 'GET',
  path: `${list}/{application}`,
  permission: 'applications.read',
  summary: 'An application as it was deployed last.',
  params: ofApplication,
  answer: ApplicationSpec,
});

export const putApplication = route({
  name: 'put-application',
  method: 'PUT',
  path: `${list}/{application}`,
  permission: 'applications.write',
  summary: 'Deploys an application: what it no longer names is removed. JSON, or a berth.yaml.',
  params: ofApplication,
  body: { schema: ApplicationSpec, text: { type: 'application/yaml', parse: parseApplication } },
  status: 202,
  answer: Accepted,
});

export const deleteApplication = route({
  name: 'delete-application',
  method: 'DELETE',
  path: `${list}/{application}`,
  permission: 'applications.write',
  summary: 'Removes an application: its services go to no replicas, its schedules end.',
  params: ofApplication,
  status: 202,
  answer: Accepted,
});
