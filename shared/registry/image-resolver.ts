import type { Tables } from '../state/tables.ts';
import type { ImageResolver } from '../workloads/image-resolver.ts';
import { findManifest, findTag } from './repository.ts';

/** Answers from the registry's own rows, without a request to itself. */
export const imageResolver = (tables: Tables): ImageResolver => ({
  async resolve({ repository, tag, digest }) {
    if (digest !== undefined) return (await findManifest(tables, repository, digest))?.digest;
    return tag && (await findTag(tables, repository, tag))?.digest;
  },
});
