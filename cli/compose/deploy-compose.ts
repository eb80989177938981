import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { imageKey } from '../../shared/compose/map/map-service.ts';
import { ApplicationSpec } from '../../shared/model/application.ts';
import type { Session } from '../session.ts';
import { buildImages } from './build-images.ts';
import { findImages } from './find-images.ts';
import { setSecrets } from './set-secrets.ts';

/**
 * Everything that a compose project needs before it can be deployed: its images in the registry, its secrets sealed. What is
 * missing is told before anything is built or changed.
 */
export async function prepareCompose(
  session: Session,
  mapped: MappedProject,
  options: { readonly brings: boolean },
): Promise<ApplicationSpec> {
  const { application, images, builds, secretSources } = mapped;
  const found = await findImages(session, images, options);
  const named = new Map(
    Object.entries(application.services).flatMap(([service, { image }]) =>
      typeof image === 'string' ? [[service, image] as const] : [],
    ),
  );
  const built = await buildImages(session, application.name, builds, named);
  await setSecrets(session, application.name, secretSources);
  return ApplicationSpec.parse(withImages(application, new Map([...found, ...built])));
}

export const withImages = (
  application: MappedProject['application'],
  images: ReadonlyMap<string, string>,
): MappedProject['application'] => ({
  ...application,
  services: Object.fromEntries(
    Object.entries(application.services).map(([name, { image, ...fields }]) => [
      name,
      {
        image: images.get(name) ?? image,
        ...fields,
        ...stepWith(fields['before'], images.get(imageKey({ service: name, isStep: true }))),
      },
    ]),
  ),
});

const stepWith = (step: unknown, image: string | undefined): object =>
  image === undefined || typeof step !== 'object' ? {} : { before: { ...step, image } };
