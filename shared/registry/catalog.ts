import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import type { Tables } from '../state/tables.ts';
import { hasRepository, listRepositories, listTags } from './repository.ts';

/** A tag as people see it. */
export interface ListedImage {
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly digest: Digest;
  /** Bytes of the manifest and all that it names, as stored (compressed). */
  readonly size: number;
  /** RFC 3339. */
  readonly pushedAt: string;
}

/** The last image of a page. */
export interface ImageCursor {
  readonly repository: RepositoryName;
  readonly tag: Tag;
}

export interface ImageListing {
  /** Repositories that the caller may know of. */
  readonly may: (repository: RepositoryName) => boolean;
  /** Only of this one. */
  readonly repository?: RepositoryName | undefined;
  readonly after?: ImageCursor | undefined;
  readonly limit: number;
}

/** A page of tags, by repository and tag; `more` if others follow. */
export async function listImages(
  tables: Tables,
  { may, repository, after, limit }: ImageListing,
): Promise<{ readonly images: readonly ListedImage[]; readonly more: boolean }> {
  const images: ListedImage[] = [];
  for await (const name of namesOf(tables, repository, after)) {
    if (!may(name)) continue;
    const last = after?.repository === name ? after.tag : undefined;
    for await (const { tag, digest, imageSize, pushedAt } of listTags(tables, name, last)) {
      if (images.length === limit) return { images, more: true };
      images.push({ repository: name, tag, digest, size: imageSize, pushedAt });
    }
  }
  return { images, more: false };
}

/** Names in the order of the listing, from that of the cursor. */
async function* namesOf(
  tables: Tables,
  only: RepositoryName | undefined,
  after: ImageCursor | undefined,
): AsyncIterable<RepositoryName> {
  if (only !== undefined) {
    yield only;
    return;
  }
  if (after !== undefined && (await hasRepository(tables, after.repository))) yield after.repository;
  for await (const { name } of listRepositories(tables, after?.repository)) yield name;
}
