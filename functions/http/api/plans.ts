import { applyPlan, planApplication } from '../../../shared/api/routes/plans.ts';
import {
  ApplicationSpec as Application,
  type ApplicationSpec,
  type ServiceSpec,
} from '../../../shared/model/application.ts';
import { type Digest, parseImageReference } from '../../../shared/model/image.ts';
import { Invalid } from '../../../shared/model/invalid.ts';
import type { EnvironmentName, ServiceName } from '../../../shared/model/names.ts';
import type { PoolSpec } from '../../../shared/model/pool.ts';
import { serviceId } from '../../../shared/model/service.ts';
import type { Sight } from '../../../shared/scheduling/explain.ts';
import { admit } from '../../../shared/workloads/admit.ts';
import { makePlan } from '../../../shared/workloads/make-plan.ts';
import { planBase } from '../../../shared/workloads/plan-base.ts';
import { all, placeOf } from '../../../shared/workloads/stores.ts';
import { refuseSystemEnvironment } from '../../../shared/workloads/system-environment.ts';
import { type Home, homesOf } from '../../../shared/workloads/volumes.ts';
import type { Services } from '../../services.ts';
import { sightPool } from '../../sight-pool.ts';
import { endpoint } from '../endpoint.ts';
import { acceptCommand } from './accept-command.ts';
import { admitApplication, refuseOtherName } from './admit-application.ts';

export const plan = endpoint(planApplication, async ({ params, query, body, services }) => {
  const { environment } = params;
  refuseOtherName(params.application, body);
  refuseSystemEnvironment(environment);
  await admitApplication(services, environment, body);
  const { stores, images, trust, now } = services;
  const answering = { stores, images, trust, isLive: async () => false, now: now() };
  const spec = await admit(answering, environment, body, new Set(query.secrets?.split(',')));
  // The state first: what changes while the rest is read makes the plan void, not wrong.
  const base = await planBase(stores, environment, spec);
  const { digests, refused } = await imagesOf(services, environment, spec);
  const rows = await all(
    stores.services.list({ partition: environment, from: `${spec.name}.`, to: `${spec.name}/` }),
  );
  const replicas = new Map(
    await Promise.all(
      rows.map(
        async ({ key }) =>
          [key.service as string, await all(stores.replicas.list({ partition: serviceId(key) }))] as const,
      ),
    ),
  );
  const pools = new Map<string, PoolSpec>();
  for await (const { row, value } of stores.pools.list({})) pools.set(row, value);
  const names = new Set(
    [...Object.values(spec.services), ...rows.map((row) => row.spec)].map(({ pool }) => pool),
  );
  const sights = new Map<string, Sight>();
  for (const name of names) sights.set(name, await sightPool(name, services, spec.pools[name]));
  const homes = new Map<string, ReadonlyMap<number, Home>>();
  for (const [name, service] of Object.entries(spec.services) as [ServiceName, ServiceSpec][])
    homes.set(name, await homesOf(stores, { ...params, service: name }, service));
  const before = (await stores.applications.get(...placeOf.application(environment, spec.name)))?.value;
  return makePlan({
    environment,
    spec,
    pins: { base, digests },
    before,
    services: rows,
    replicas,
    pools,
    sights,
    homes,
    refused,
    now: now(),
  });
});

/** What the images mean now, and why some are refused. */
async function imagesOf(
  { images, trust }: Pick<Services, 'images' | 'trust'>,
  environment: EnvironmentName,
  spec: ApplicationSpec,
) {
  const digests: Record<string, Digest | null> = {};
  const refused = new Map<string, readonly string[]>();
  for (const [name, { image }] of Object.entries(spec.services)) {
    const reference = parseImageReference(image);
    const digest = await images.resolve(reference);
    digests[name] = digest ?? null;
    if (digest === undefined) continue;
    const verdict = await trust.judge(reference.repository, digest, environment);
    if (verdict.verdict === 'refused') refused.set(name, verdict.reasons);
  }
  return { digests, refused };
}

export const apply = endpoint(
  applyPlan,
  async (call) => {
    const { environment, application } = call.params;
    const { body } = call;
    refuseOtherName(application, body.spec);
    refuseSystemEnvironment(environment);
    if (body.environment !== environment || body.application !== application)
      throw new Invalid({
        code: 'plan-differs',
        message: `The plan is for ${body.application} in ${body.environment}, the path names ${application} in ${environment}.`,
        remedy: `Apply it there: berth apply --environment ${body.environment}.`,
        issues: [{ path: 'environment', message: `expected ${environment}` }],
      });
    await admitApplication(call.services, environment, body.spec);
    return acceptCommand(
      call,
      { type: 'deploy', environment, application: Application.parse(body.spec), pins: body.pins },
      `/api/v1/environments/${environment}/services?application=${application}`,
    );
  },
  { durable: true },
);
