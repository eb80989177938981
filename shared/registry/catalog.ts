import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import type { Tables } from '../state/tables.ts';
import { listRepositories, listTags } from './repository.ts';

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

/** All tags, by repository and tag. */
export async function listImages(tables: Tables): Promise<ListedImage[]> {
  const images: ListedImage[] = [];
  for await (const { name } of listRepositories(tables))
    for await (const { tag, digest, imageSize, pushedAt } of listTags(tables, name))
      images.push({ repository: name, tag, digest, size: imageSize, pushedAt });
  return images;
}
