import { planApplication } from '../../shared/api/routes/plans.ts';
import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { imageKey } from '../../shared/compose/map/map-service.ts';
import { ApplicationSpec } from '../../shared/model/application.ts';
import type { DeploymentPlan } from '../../shared/model/plan.ts';
import { atPlaces } from '../at-places.ts';
import type { Session } from '../session.ts';
import { withImages } from './with-images.ts';

/**
 * Asks the server what it says of a compose project, as if its images and secrets were there already.
 * @param found imageKey → `repository:tag` of the images that are there
 * @throws Failure with `file:line:column: where: what was expected` for each fault
 */
export async function judgeCompose(
  { client, environment }: Session,
  { application, images, builds, secretSources, placeOf }: MappedProject,
  found: ReadonlyMap<string, string>,
): Promise<DeploymentPlan> {
  const coming = [...images.map(imageKey), ...builds.map(imageKey)].map(
    (key) => [key, `${application.name}/coming`] as const,
  );
  const spec = ApplicationSpec.parse(withImages(application, new Map([...coming, ...found])));
  const secrets = secretSources.map(({ name }) => name).join(',');
  return await atPlaces(placeOf, () =>
    client.call(planApplication, {
      params: { environment, application: spec.name },
      query: secrets === '' ? {} : { secrets },
      json: spec,
    }),
  );
}
