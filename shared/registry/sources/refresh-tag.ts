import { Terminal } from '../../model/errors.ts';
import type { Digest, Tag } from '../../model/image.ts';
import { RegistryError } from '../errors.ts';
import { findTag } from '../repository.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Checks } from './checks.ts';
import { type MirrorDeps, type Mirrored, storedManifest, storeManifest } from './fetch-manifest.ts';

/** What asking upstream for a tag came to. */
export interface Refreshed {
  /** `moved`: it now means something else, or is new here. */
  readonly outcome: 'unchanged' | 'moved';
  readonly digest: Digest;
  /** What it meant before. */
  readonly before: Digest | undefined;
}

/**
 * Asks upstream what a tag means, and moves ours. HEAD comes first: it is free where reading manifests is counted.
 * @throws what Upstream throws; RegistryError if the repository does not take it. The tag then means what it did
 */
export async function refreshTag(
  deps: MirrorDeps,
  checks: Checks,
  mirrored: Mirrored,
  tag: Tag,
): Promise<Refreshed> {
  const { from, name, repository } = mirrored;
  const at = deps.now();
  const [current, said] = await Promise.all([
    findTag(deps.tables, repository, tag),
    digestAt(from, name, tag),
  ]);
  const stored = said && (await storedManifest(deps, repository, said));
  const manifest = stored ?? (await from.manifest(name, said ?? tag));
  const { digest } = manifest;
  const isSame = current?.digest === digest;
  try {
    if (!isSame || stored === undefined)
      await storeManifest(deps, mirrored, manifest, isSame ? undefined : tag);
  } catch (error) {
    // The tag is immutable here, or there is no room: asking upstream at every pull would change nothing.
    if (error instanceof RegistryError) await checks.note(repository, tag, at);
    throw error;
  }
  await checks.note(repository, tag, at);
  return { outcome: isSame ? 'unchanged' : 'moved', digest, before: current?.digest };
}

/** Undefined where a registry does not answer HEAD with a digest: then the manifest is read. */
async function digestAt(from: Upstream, name: string, tag: Tag): Promise<Digest | undefined> {
  try {
    return (await from.head(name, tag)).digest;
  } catch (error) {
    if (error instanceof Terminal && error.code === 'upstream-answer-invalid') return undefined;
    throw error;
  }
}
