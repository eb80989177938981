import type { Readable } from 'node:stream';
import { z } from 'zod';
import { Digest } from '../../model/image.ts';

/** A manifest that refers to another: OCI Distribution 1.1, "Listing Referrers". */
export const ForeignDescriptor = z.object({
  mediaType: z.string(),
  digest: Digest,
  size: z.number().int().nonnegative(),
  artifactType: z.string().optional(),
});
export type ForeignDescriptor = z.infer<typeof ForeignDescriptor>;

/** What a registry says of a manifest without sending it. */
export interface ManifestHead {
  /** Absent where the registry does not say: OCI Distribution lets it. */
  readonly digest: Digest | undefined;
}

/** A manifest, whose bytes were checked against its digest. */
export interface ForeignManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/**
 * A registry that is read. Names are those of that registry.
 * Failures: Terminal `upstream-not-found`, `upstream-unauthorized`, `upstream-answer-invalid`; Retryable
 * `upstream-limited`, `upstream-unreachable`.
 */
export interface Upstream {
  /** Which registry it is, for people: its host. */
  readonly host: string;
  /** Whether it answers, and takes the credential. */
  ping(): Promise<void>;
  /** Costs nothing of Docker Hub's limit. */
  head(repository: string, reference: string): Promise<ManifestHead>;
  /** @param reference tag or digest; what was asked for by digest has that digest */
  manifest(repository: string, reference: string): Promise<ForeignManifest>;
  /** Bytes as they come, not checked; the reader must read to the end or destroy. One that breaks off is gone on with. */
  blob(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly size: number | undefined; readonly body: Readable }>;
  /** Whether the registry has the blob, without reading it. */
  hasBlob(repository: string, digest: Digest): Promise<boolean>;
  tags(repository: string): AsyncIterable<string>;
  /** Manifests whose subject this is; by the referrers API, and where there is none by its tag scheme. */
  referrers(repository: string, subject: Digest): Promise<readonly ForeignDescriptor[]>;
}
