import { Terminal } from '../../model/errors.ts';
import type { Digest, ImageReference, RepositoryName } from '../../model/image.ts';
import { nearest } from '../../model/nearest.ts';
import type { Tables } from '../../state/tables.ts';
import {
  findManifest,
  findTag,
  hasRepository,
  listRepositories,
  listTags,
  type ManifestEntry,
} from '../repository.ts';

/** Names that are looked at for what was meant; a registry may have very many. */
const MOST_LOOKED_AT = 20_000;

/**
 * The manifest that a reference means; a digest comes before a tag.
 * @param mayPull repositories that the caller may know of: only those are proposed
 * @throws Terminal 404 `repository-not-found`, `image-not-found`, with the nearest names
 */
export async function findImage(
  tables: Tables,
  { repository, tag, digest }: ImageReference,
  mayPull: (repository: RepositoryName) => boolean,
): Promise<ManifestEntry> {
  const wanted = digest ?? (tag && (await findTag(tables, repository, tag))?.digest);
  const found = wanted && (await findManifest(tables, repository, wanted));
  if (found !== undefined) return found;
  await requireRepository(tables, repository, mayPull);
  throw await imageNotFound(tables, repository, digest ?? tag ?? '');
}

/** @throws Terminal 404 `repository-not-found` */
export async function requireRepository(
  tables: Tables,
  repository: RepositoryName,
  mayPull: (repository: RepositoryName) => boolean,
): Promise<void> {
  if (await hasRepository(tables, repository)) return;
  const names: RepositoryName[] = [];
  for await (const { name } of listRepositories(tables)) {
    if (mayPull(name)) names.push(name);
    if (names.length === MOST_LOOKED_AT) break;
  }
  throw new Terminal({
    code: 'repository-not-found',
    status: 404,
    message: `There is no repository ${repository}.${guess(nearest(repository, names))}`,
    remedy: 'List what there is: berth images list',
  });
}

async function imageNotFound(
  tables: Tables,
  repository: RepositoryName,
  reference: Digest | string,
): Promise<Terminal> {
  const isDigest = reference.includes(':');
  const tags: string[] = [];
  if (!isDigest)
    for await (const { tag } of listTags(tables, repository)) {
      tags.push(tag);
      if (tags.length === MOST_LOOKED_AT) break;
    }
  return new Terminal({
    code: 'image-not-found',
    status: 404,
    message: `There is no image ${repository}${isDigest ? '@' : ':'}${reference}.${guess(nearest(reference, tags))}`,
    remedy: `List what there is: berth images list ${repository}`,
  });
}

const guess = (names: readonly string[]): string =>
  names.length === 0 ? '' : ` Did you mean ${names.join(' or ')}?`;
