import { Digest, type ImageReference, type RepositoryName, type Tag } from '../../../shared/model/image.ts';

/** A repository with a tag or a digest, as routes take them. */
export function referenceOf({
  repository,
  reference,
}: {
  readonly repository: RepositoryName;
  readonly reference: Tag | Digest;
}): ImageReference {
  const digest = Digest.safeParse(reference).data;
  return { repository, digest, tag: digest === undefined ? (reference as Tag) : undefined };
}
