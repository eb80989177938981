import type { Digest, RepositoryName } from '../../model/image.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import { findContent } from '../content.ts';
import { inParallel } from '../in-parallel.ts';
import { parseManifest } from '../manifest.ts';
import { storedManifest } from '../sources/fetch-manifest.ts';
import type { Sendable, Target } from '../upstream/target.ts';

/** Blobs that are sent side by side. */
const WIDTH = 3;

export interface CopyOut {
  readonly repository: RepositoryName;
  /** What the other registry calls it. */
  readonly name: string;
  readonly digest: Digest;
  /** Tag there; the digest if it is to have none. */
  readonly reference: string;
}

/**
 * Brings a manifest to another registry, after all that it names; what is there is left alone.
 * @returns false if it is not here, or not wholly
 * @throws what Target throws
 */
export async function copyOut(
  parts: { readonly blobs: Blobs; readonly tables: Tables },
  target: Target,
  { repository, name, digest, reference }: CopyOut,
): Promise<boolean> {
  if ((await target.digestAt(name, reference)) === digest) return true;
  const manifest = await storedManifest(parts, repository, digest);
  if (manifest === undefined) return false;
  const facts = parseManifest(manifest.bytes, manifest.mediaType);
  for (const child of facts.manifests) {
    const copied = await copyOut(parts, target, {
      repository,
      name,
      digest: child.digest,
      reference: child.digest,
    });
    if (!copied) return false;
  }
  const named = [...new Set(facts.blobs.map((blob) => blob.digest))];
  let whole = true;
  await inParallel(named, WIDTH, async (blob) => {
    if (await target.hasBlob(name, blob)) return;
    const sendable = await sendableOf(parts.blobs, blob);
    if (sendable === undefined) whole = false;
    else await target.putBlob(name, sendable);
  });
  if (!whole) return false;
  await target.putManifest(name, reference, manifest.mediaType, manifest.bytes);
  return true;
}

async function sendableOf(blobs: Blobs, digest: Digest): Promise<Sendable | undefined> {
  const content = await findContent(blobs, digest);
  return (
    content && {
      digest,
      size: content.size,
      async open(offset, count) {
        const data = await blobs.open(content.data, { offset, count });
        if (data === undefined) throw new Error(`${content.data} is named by a pointer and is not there`);
        return data.stream;
      },
    }
  );
}
