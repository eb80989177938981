import { z } from 'zod';
import { Digest, RepositoryName, Tag } from './image.ts';
import { signature } from './signature.ts';

/** `os/architecture`, with a variant where there is one: `linux/arm/v7`. OCI image specification, index, "platform". */
export const Platform = z
  .string()
  .regex(/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9_.]+)?$/, 'expected os/architecture, for example linux/amd64');

/** Where an image lies in another registry. */
const Origin = z.object({
  host: z.string(),
  repository: RepositoryName,
});

export const ImportOrder = z.object({
  from: Origin.extend({ tag: Tag.optional(), digest: Digest.optional() }),
  /** Without a tag the image is found by its digest alone. */
  to: z.object({ repository: RepositoryName, tag: Tag.optional() }),
  /** One image of an index; all of it if absent. */
  platform: Platform.optional(),
  /** Also signatures, attestations and whatever else refers to it. */
  referrers: z.boolean(),
  /** Who ordered it. */
  actor: z.string(),
});
export type ImportOrder = z.infer<typeof ImportOrder>;

const Sized = z.object({ digest: Digest, size: z.number() });

/** What is to be brought: blobs in any order, then manifests in theirs, so that each finds what it names. */
export const ImportPlan = z.object({
  digest: Digest,
  blobs: z.array(Sized),
  manifests: z.array(z.object({ digest: Digest, tag: Tag.optional() })),
});
export type ImportPlan = z.infer<typeof ImportPlan>;

/** What is done of it, as the orchestration tells it. Bytes are those of blobs. */
export const ImportProgress = z.object({
  doing: z.string(),
  blobs: z.object({ done: z.number(), all: z.number() }),
  bytes: z.object({ done: z.number(), all: z.number(), fetched: z.number() }),
});
export type ImportProgress = z.infer<typeof ImportProgress>;

export const Imported = z.discriminatedUnion('state', [
  z.object({ state: z.literal('done'), digest: Digest, fetched: z.number() }),
  z.object({ state: z.literal('failed'), code: z.string(), reason: z.string(), remedy: z.string() }),
]);
export type Imported = z.infer<typeof Imported>;

export const importImage = signature('import-image', { input: ImportOrder, output: z.custom<Imported>() });

export const planImport = signature('plan-import', { input: ImportOrder, output: ImportPlan });

/** Answers the bytes that were fetched: 0 for what was here. */
export const copyBlob = signature('copy-blob', {
  input: z.object({ from: Origin, to: RepositoryName, digest: Digest }),
  output: z.number(),
});

export const copyManifest = signature('copy-manifest', {
  input: z.object({
    from: Origin,
    to: RepositoryName,
    digest: Digest,
    tag: Tag.optional(),
    actor: z.string(),
  }),
  output: z.null(),
});
