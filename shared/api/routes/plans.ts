import { z } from 'zod';
import { ApplicationSpec } from '../../model/application.ts';
import { parseApplication } from '../../model/parse-application.ts';
import { DeploymentPlan } from '../../model/plan.ts';
import { Accepted } from '../accepted.ts';
import { ofApplication } from '../parameters.ts';
import { route } from '../route.ts';

/** Secrets that will be there when it is deployed, with commas between them: they are not refused as missing. */
const names = z.string().regex(/^[^,\s]+(,[^,\s]+)*$/, 'names with commas between them');

const one = '/api/v1/environments/{environment}/applications/{application}' as const;

export const planApplication = route({
  name: 'plan-application',
  method: 'POST',
  path: `${one}/plan`,
  permission: 'applications.write',
  summary:
    'What a deployment would do: every key that changes, where replicas would go, which machines would be made, the hourly cost. Nothing is changed. JSON, or a berth.yaml.',
  params: ofApplication,
  query: z.strictObject({ secrets: names.optional() }),
  body: { schema: ApplicationSpec, text: { type: 'application/yaml', parse: parseApplication } },
  answer: DeploymentPlan,
});

export const applyPlan = route({
  name: 'apply-plan',
  method: 'POST',
  path: `${one}/apply`,
  permission: 'applications.write',
  summary:
    'Deploys exactly what a plan says, digests included; 409 `plan-stale` if what it was made on has changed.',
  params: ofApplication,
  body: { schema: DeploymentPlan },
  status: 202,
  answer: Accepted,
});
