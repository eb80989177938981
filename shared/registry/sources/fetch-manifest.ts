import type { Digest, RepositoryName, Tag } from '../../model/image.ts';
import type { RegistryDeps } from '../call.ts';
import { readManifest } from '../content.ts';
import { RegistryError } from '../errors.ts';
import { type ManifestFacts, parseManifest } from '../manifest.ts';
import { passOn } from '../pass-on.ts';
import { pushManifest } from '../push-manifest.ts';
import { findManifest } from '../repository.ts';
import { upstreamWrong } from '../upstream/faults.ts';
import type { ForeignManifest, Upstream } from '../upstream/upstream.ts';

/** What fetching writes with. */
export type MirrorDeps = Pick<
  RegistryDeps,
  'blobs' | 'tables' | 'policies' | 'now' | 'recorder' | 'onActivity' | 'report'
>;

/** A repository of ours and what it is a copy of. */
export interface Mirrored {
  readonly from: Upstream;
  /** As the upstream calls it. */
  readonly name: string;
  readonly repository: RepositoryName;
  /** Who is said to have pushed: `source/<name>`. */
  readonly actor: string;
}

/** The manifest as we have it, if it is part of the repository. */
export async function storedManifest(
  { tables, blobs }: Pick<MirrorDeps, 'tables' | 'blobs'>,
  repository: RepositoryName,
  digest: Digest,
): Promise<ForeignManifest | undefined> {
  const [entry, bytes] = await Promise.all([
    findManifest(tables, repository, digest),
    readManifest(blobs, digest),
  ]);
  return entry && bytes && { digest, mediaType: entry.mediaType, bytes };
}

/**
 * Makes a manifest of another registry part of ours, byte for byte, and moves the tag, which is a push like any other.
 * What it names is fetched when somebody asks for it.
 */
export async function storeManifest(
  deps: MirrorDeps,
  { from, name, repository, actor }: Mirrored,
  { digest, mediaType, bytes }: ForeignManifest,
  tag: Tag | undefined,
): Promise<void> {
  const facts = factsOf(bytes, mediaType, `${from.host}/${name}@${digest}`);
  const left = await pushManifest(deps, {
    repository,
    digest,
    tags: tag === undefined ? [] : [tag],
    bytes,
    facts,
    origin: { actor, method: 'GET', host: from.host },
    mirrored: true,
  });
  await passOn(deps, left);
}

/** @throws Terminal `upstream-answer-invalid` */
export function factsOf(bytes: Uint8Array, mediaType: string, where: string): ManifestFacts {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (error instanceof RegistryError) throw upstreamWrong(where, error.message);
    throw error;
  }
}
