import { z } from 'zod';
import { Digest, type RepositoryName } from '../model/image.ts';
import type { Blobs } from '../state/blobs.ts';
import { documentOf, documentValues } from '../state/documents.ts';
import type { Tables, Write } from '../state/tables.ts';
import { readManifest } from './content.ts';
import { type ManifestFacts, parseManifest } from './manifest.ts';
import { REGISTRY, referrerRow, rowsOf } from './repository.ts';

/** Annotations up to this many characters stand in the row; longer ones are read from the manifest when asked for. */
const ANNOTATIONS_IN_ROW = 100_000;

/** OCI Distribution 1.1, "Listing Referrers": descriptor of a manifest whose `subject` is another. */
const Referrer = z.object({
  mediaType: z.string(),
  digest: Digest,
  size: z.number(),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
type Referrer = z.infer<typeof Referrer>;

const Stored = Referrer.extend({ annotationsInManifest: z.literal(true).optional() });

/** Part of the push's transaction. */
export function referrerWrite(facts: ManifestFacts, subject: Digest, digest: Digest, size: number): Write {
  const { mediaType, artifactType, annotations } = facts;
  const short = JSON.stringify(annotations ?? {}).length <= ANNOTATIONS_IN_ROW;
  const referrer: z.infer<typeof Stored> = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : short ? { annotations } : { annotationsInManifest: true }),
  };
  return { kind: 'upsert', row: referrerRow(subject, digest), values: documentValues(referrer) };
}

/** Manifests of the repository that name `subject`, in the order of their digests, after `last`. */
export async function* listReferrers(
  { tables, blobs }: { readonly tables: Tables; readonly blobs: Blobs },
  repository: RepositoryName,
  subject: Digest,
  last?: Digest,
): AsyncIterable<Referrer> {
  const range = rowsOf(repository, `r!${subject}!`);
  const after = last === undefined ? range : { ...range, from: `${referrerRow(subject, last)}!` };
  for await (const row of tables.list(REGISTRY, after)) {
    const { annotationsInManifest, ...referrer } = documentOf(Stored, row.values);
    const bytes = annotationsInManifest && (await readManifest(blobs, referrer.digest));
    const annotations = bytes && parseManifest(bytes, referrer.mediaType).annotations;
    yield annotations ? { ...referrer, annotations } : referrer;
  }
}
