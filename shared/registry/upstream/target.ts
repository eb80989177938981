import type { Readable } from 'node:stream';
import type { Digest } from '../../model/image.ts';

/** Content that is sent: it may be opened again, from any byte on. */
export interface Sendable {
  readonly digest: Digest;
  readonly size: number;
  /** `count` bytes from `offset`. */
  open(offset: number, count: number): Promise<Readable>;
}

/**
 * A registry that is written. Names are those of that registry. Failures are those of `Upstream`; what it refuses for good
 * is Terminal `upstream-answer-invalid`.
 */
export interface Target {
  readonly host: string;
  ping(): Promise<void>;
  /** What a tag or digest means there; undefined if it is not there. */
  digestAt(repository: string, reference: string): Promise<Digest | undefined>;
  hasBlob(repository: string, digest: Digest): Promise<boolean>;
  putBlob(repository: string, blob: Sendable): Promise<void>;
  /** @param reference tag or digest */
  putManifest(repository: string, reference: string, mediaType: string, bytes: Uint8Array): Promise<void>;
  /** One that is not there is deleted already. @returns false if the registry deletes none of its kind */
  delete(repository: string, reference: string): Promise<boolean>;
}
