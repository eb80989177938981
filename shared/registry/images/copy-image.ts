import { Terminal } from '../../model/errors.ts';
import type { Digest, RepositoryName, Tag } from '../../model/image.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import { readManifest } from '../content.ts';
import { inParallel } from '../in-parallel.ts';
import { hasBlob } from '../links.ts';
import { parseManifest } from '../manifest.ts';
import { listReferrers } from '../referrers.ts';
import { findManifest, findTag } from '../repository.ts';
import { evidenceTags } from '../trust/evidence-places.ts';
import type { InsideRegistry } from './inside.ts';
import { mountBlob } from './mount-blob.ts';

/** Blobs that are mounted at once. */
const WIDTH = 8;

export interface CopyParts {
  readonly blobs: Blobs;
  readonly tables: Tables;
  readonly inside: InsideRegistry;
}

export interface CopyOrder {
  readonly from: { readonly repository: RepositoryName; readonly digest: Digest };
  /** Without a tag the copy is found by its digest alone. */
  readonly to: { readonly repository: RepositoryName; readonly tag: Tag | undefined };
  /** Also what refers to the image, by its subject or by cosign's tags: signatures, attestations, and what refers to those. */
  readonly referrers: boolean;
}

/** What was copied: no byte of a blob moves, it becomes part of the other repository. */
export interface Copied {
  readonly manifests: number;
  readonly mounted: number;
}

/**
 * Makes an image part of another repository, or gives it another tag in its own: whatever it names first, then itself. Doing
 * it again, also after a part of it failed, does what is left.
 * @throws Terminal 409 `image-changed` if part of the image went away meanwhile; what the registry refuses
 */
export async function copyImage(parts: CopyParts, { from, to, referrers }: CopyOrder): Promise<Copied> {
  const done = new Set<Digest>();
  let mounted = 0;

  const mount = async (digest: Digest): Promise<void> => {
    if (await hasBlob(parts.tables, to.repository, digest)) return;
    if (!(await mountBlob(parts, digest, from.repository, to.repository)))
      throw changed(from.repository, digest);
    mounted += 1;
  };

  const copy = async (digest: Digest, reference: string): Promise<void> => {
    const entry = await findManifest(parts.tables, from.repository, digest);
    const bytes = entry && (await readManifest(parts.blobs, digest));
    if (entry === undefined || bytes === undefined) throw changed(from.repository, digest);
    const facts = parseManifest(bytes, entry.mediaType);
    if (to.repository !== from.repository) {
      for (const child of facts.manifests)
        if (!done.has(child.digest)) await copy(child.digest, child.digest);
      await inParallel([...new Set(facts.blobs.map((blob) => blob.digest))], WIDTH, mount);
    }
    await parts.inside.request('PUT', `/v2/${to.repository}/manifests/${reference}`, {
      repositories: [to.repository],
      headers: { 'content-type': entry.mediaType },
      body: bytes,
    });
    done.add(digest);
  };

  await copy(from.digest, to.tag ?? from.digest);
  if (referrers && to.repository !== from.repository)
    // Grows while it is walked: what was copied may itself be referred to.
    for (const subject of done)
      for await (const { digest } of listReferrers(parts, from.repository, subject))
        if (!done.has(digest)) await copy(digest, digest);
  if (referrers && to.repository !== from.repository)
    for (const subject of done)
      for (const tag of evidenceTags(subject)) {
        const [found, there] = await Promise.all([
          findTag(parts.tables, from.repository, tag),
          findTag(parts.tables, to.repository, tag),
        ]);
        // Signatures that the other repository has of its own under the tag are not overwritten.
        if (found !== undefined && there === undefined) await copy(found.digest, tag);
      }
  return { manifests: done.size, mounted };
}

const changed = (repository: RepositoryName, digest: Digest): Terminal =>
  new Terminal({
    code: 'image-changed',
    status: 409,
    message: `${repository} no longer has ${digest}, which the image names.`,
    remedy: 'Look at what is there now, and copy that: berth images show',
  });
