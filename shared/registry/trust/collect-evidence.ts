import { z } from 'zod';
import { Digest, type RepositoryName, type Tag } from '../../model/image.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import { findContent, readManifest } from '../content.ts';
import { listReferrers } from '../referrers.ts';
import { findTag } from '../repository.ts';
import type { Evidence, Subject } from './evidence.ts';
import { evidenceTags, isEvidenceType } from './evidence-places.ts';
import type { EvidenceSource } from './evidence-source.ts';
import type { Collected } from './judge.ts';
import { evidenceForms, readEvidence } from './read-evidence.ts';

/** What is read of an image's evidence at most: whoever may push must not be able to keep an instance busy with it. */
export interface EvidenceLimits {
  /** Rows of referrers. */
  readonly referrers: number;
  /** Manifests of signatures and attestations. */
  readonly manifests: number;
  /** Layers of them, altogether. */
  readonly documents: number;
  /** Bytes of one layer, and of all. */
  readonly size: number;
  readonly total: number;
}
const MiB = 1024 * 1024;
export const evidenceLimits: EvidenceLimits = {
  referrers: 1000,
  manifests: 50,
  documents: 100,
  size: 16 * MiB,
  total: 48 * MiB,
};

const Manifest = z.object({
  layers: z.array(
    z.object({
      mediaType: z.string(),
      digest: Digest,
      size: z.number(),
      annotations: z.record(z.string(), z.string()).default({}),
    }),
  ),
});

interface Source {
  readonly manifest: Digest;
  readonly tag: Tag | undefined;
}

export interface EvidenceParts {
  readonly tables: Tables;
  readonly blobs: Blobs;
  /** Of repositories that are copies of others. */
  readonly upstream?: EvidenceSource | undefined;
}

/**
 * Reads the signatures and attestations of an image: those under the tags that cosign makes of its digest, and those that
 * name it as their subject; of the same repository.
 */
export async function collectEvidence(
  { tables, blobs, upstream }: EvidenceParts,
  repository: RepositoryName,
  subject: Subject,
  limits = evidenceLimits,
): Promise<Collected> {
  const unread = new Set<string>();
  const evidence: Evidence[] = [];
  const known = new Set<Digest>();
  let total = 0;
  await upstream?.bring(repository, subject.digest);
  const broughtContent = async (digest: Digest) => {
    await upstream?.content(repository, digest);
    return findContent(blobs, digest);
  };
  for await (const { manifest, tag } of sources(
    { tables, blobs },
    repository,
    subject.digest,
    limits,
    unread,
  )) {
    if (known.has(manifest)) continue;
    if (known.size === limits.manifests) {
      unread.add(`Only ${limits.manifests} manifests of signatures and attestations were read.`);
      break;
    }
    known.add(manifest);
    const bytes = await readManifest(blobs, manifest);
    for (const layer of layersOf(bytes)) {
      const form = evidenceForms[layer.mediaType];
      if (form === undefined) continue;
      const origin = { form, manifest, layer: layer.digest, tag };
      if (evidence.length === limits.documents) {
        unread.add(`Only ${limits.documents} signatures and attestations were read.`);
        return { evidence, unread: [...unread] };
      }
      const content =
        (await findContent(blobs, layer.digest)) ??
        (layer.size > limits.size ? undefined : await broughtContent(layer.digest));
      const size = content?.size ?? 0;
      const fits = size <= limits.size && total + size <= limits.total;
      const found = content && fits ? await blobs.read(content.data) : undefined;
      if (found !== undefined) {
        total += size;
        evidence.push(readEvidence(origin, found.bytes, layer.annotations, subject));
      } else {
        const fault = fits
          ? 'its content is missing'
          : `it is too large: at most ${limits.size / MiB} MiB are read of one, and ${limits.total / MiB} MiB of all`;
        evidence.push({ origin, fault });
      }
    }
  }
  return { evidence, unread: [...unread] };
}

async function* sources(
  state: Pick<EvidenceParts, 'tables' | 'blobs'>,
  repository: RepositoryName,
  subject: Digest,
  limits: EvidenceLimits,
  unread: Set<string>,
): AsyncIterable<Source> {
  for (const tag of evidenceTags(subject)) {
    const found = await findTag(state.tables, repository, tag);
    if (found !== undefined) yield { manifest: found.digest, tag };
  }
  let rows = 0;
  for await (const { digest, artifactType } of listReferrers(state, repository, subject)) {
    rows += 1;
    if (rows > limits.referrers) {
      unread.add(`Only ${limits.referrers} of the manifests that refer to it were looked at.`);
      return;
    }
    if (isEvidenceType(artifactType)) yield { manifest: digest, tag: undefined };
  }
}

function layersOf(bytes: Uint8Array | undefined): z.infer<typeof Manifest>['layers'] {
  if (bytes === undefined) return [];
  try {
    return Manifest.parse(JSON.parse(new TextDecoder().decode(bytes))).layers;
  } catch {
    return [];
  }
}
