import type { Digest, ImageReference } from '../model/image.ts';

/** What the registry says of a reference. */
export interface ImageResolver {
  /** The digest that a tag points to now, or the digest itself if its manifest is there; undefined if there is none. */
  resolve(reference: ImageReference): Promise<Digest | undefined>;
}
