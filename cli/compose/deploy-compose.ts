import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { ApplicationSpec } from '../../shared/model/application.ts';
import { Failure } from '../failure.ts';
import type { Session } from '../session.ts';
import { buildImages } from './build-images.ts';
import { findImages, importImages, refuseElsewhere } from './find-images.ts';
import { judgeCompose } from './judge-compose.ts';
import { readSecrets, setSecrets } from './set-secrets.ts';
import { withImages } from './with-images.ts';

/**
 * Everything that a compose project needs before it can be deployed: its images in the registry, its secrets sealed. What is
 * missing, and what the server would refuse, is told before anything is imported, built, pushed or sealed.
 */
export async function prepareCompose(
  session: Session,
  mapped: MappedProject,
  options: { readonly brings: boolean },
): Promise<ApplicationSpec> {
  const { application, images, builds, secretSources } = mapped;
  const secrets = readSecrets(secretSources);
  const located = await findImages(session, images);
  if (!options.brings) refuseElsewhere(located);
  await judgeCompose(session, mapped, located.found).catch((error: unknown) => {
    // An image of a sidecar may be one that is about to be built or imported.
    const isComing = builds.length > 0 || located.missing.length > 0;
    if (!isComing || !(error instanceof Failure) || error.code !== 'image-not-found') throw error;
  });
  const named = new Map(
    Object.entries(application.services).flatMap(([service, { image }]) =>
      typeof image === 'string' ? [[service, image] as const] : [],
    ),
  );
  const brought = await importImages(session, located.missing);
  const built = await buildImages(session, application.name, builds, named);
  await setSecrets(session, application.name, secrets);
  return ApplicationSpec.parse(withImages(application, new Map([...located.found, ...brought, ...built])));
}
