import { locateImage } from '../../../shared/api/routes/located-images.ts';
import type { Principal } from '../../../shared/auth/credentials.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { foreignText, parseForeignReference } from '../../../shared/model/foreign-reference.ts';
import { type ImageReference, parseImageReference } from '../../../shared/model/image.ts';
import { findManifest, findTag } from '../../../shared/registry/repository.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { pullable } from './images.ts';

/** A name without a host may be this registry's own: that comes first, then sources, then what an import is called. */
export const locate = endpoint(locateImage, async ({ query, principal, services }) => {
  const foreign = parseForeignReference(query.image);
  const { host, repository, tag, digest } = foreign;
  const own = ownName(query.image);
  const version = digest === undefined ? (tag === undefined ? {} : { tag }) : { digest };
  const image = foreignText(foreign);
  if (own !== undefined && (await isHere(own, principal, services)))
    return { image, found: { repository: own.repository, ...version, by: 'own' as const } };
  const { copy } = await services.mirror.through(host, repository);
  if (copy !== undefined && pullable(principal)(copy))
    return { image, found: { repository: copy, ...version, by: 'copy' as const } };
  if (await isHere({ repository, tag, digest }, principal, services))
    return { image, found: { repository, ...version, by: 'import' as const } };
  return { image };
});

function ownName(text: string): ImageReference | undefined {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (error instanceof Terminal) return undefined;
    throw error;
  }
}

async function isHere(
  { repository, tag, digest }: ImageReference,
  principal: Principal | undefined,
  { registry }: Services,
): Promise<boolean> {
  if (!pullable(principal)(repository)) return false;
  if (digest !== undefined) return (await findManifest(registry.tables, repository, digest)) !== undefined;
  return tag !== undefined && (await findTag(registry.tables, repository, tag)) !== undefined;
}
