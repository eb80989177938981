import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Build } from '../../shared/compose/map/build.ts';
import type { ImageReference } from '../../shared/model/image.ts';
import { imageText } from '../image-name.ts';
import { cacheFolder } from '../push/cache-folder.ts';
import { summaryOf } from '../push/push-image.ts';
import { pushLocal } from '../push/push-local.ts';
import type { Session } from '../session.ts';
import { type Builder, build, findBuilder } from './builder.ts';
import { builtName } from './built-name.ts';
import { saveImage } from './save-image.ts';

/**
 * Builds images by the engine of this computer and pushes them.
 * @param named service → the image that the compose file names for it
 * @returns service → `repository@sha256:…`
 */
export async function buildImages(
  session: Session,
  application: string,
  builds: readonly Build[],
  named: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (builds.length === 0) return found;
  const builder = findBuilder();
  for (const one of builds) {
    const target = builtName(
      application,
      one.service,
      named.get(one.service),
      session.client.connection.registries,
    );
    session.output.say(`${one.service}: building ${imageText(target)} from ${one.context} with ${builder}`);
    await build(builder, one, imageText(target), session.interrupted);
    const pushed = await pushBuilt(session, builder, target);
    session.output.say(`${one.service}: ${imageText(target)} is ${pushed.digest}: ${summaryOf(pushed)}`);
    found.set(one.service, `${target.repository}@${pushed.digest}`);
  }
  return found;
}

/** Podman may have no service to ask for an image: it writes it to a file. */
async function pushBuilt(session: Session, builder: Builder, target: ImageReference) {
  const options = { compression: 'gzip', indirect: false } as const;
  if (builder === 'docker') return pushLocal(session, imageText(target), target, options);
  const folder = await mkdtemp(join(await cacheFolder(process.env), 'built-'));
  try {
    const file = join(folder, 'image.tar');
    saveImage(builder, imageText(target), file);
    return await pushLocal(session, file, target, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
