import type { Readable } from 'node:stream';

export interface BlobInfo {
  readonly name: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
  /** ASCII; names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What storage says of a change that it made: all but the size, which only a reading tells. */
export type Changed = Omit<BlobInfo, 'size'>;

/** Conditions as HTTP has them; a failed one is a `BlobConflict`. */
export interface Condition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
}

export interface StagedBlock {
  /** Base64. */
  readonly id: string;
  /** Bytes. */
  readonly size: number;
}

/** Part of a blob: `count` bytes from `offset`, or to its end. */
export interface Slice {
  readonly offset: number;
  readonly count?: number;
}

/**
 * One container of block blobs, as Azure Blob storage has them. The container comes to be with its first write.
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
export interface Blobs {
  head(name: string): Promise<BlobInfo | undefined>;
  /** Whole small blobs (documents, pointers, manifests). */
  read(name: string): Promise<{ info: BlobInfo; bytes: Uint8Array } | undefined>;
  /** Large blobs, streamed: read the stream to its end or destroy it. @throws RangeError for an offset beyond the end */
  open(name: string, slice?: Slice): Promise<{ info: BlobInfo; stream: Readable } | undefined>;
  /** @throws BlobConflict */
  put(
    name: string,
    bytes: Uint8Array,
    options?: Condition & { metadata?: Record<string, string> },
  ): Promise<BlobInfo>;
  /** Stages a block: base64 ids, all of one length within a blob. At most 4000 MiB. */
  stageBlock(name: string, blockId: string, bytes: Uint8Array): Promise<void>;
  /** Makes the blob of the staged blocks in this order; at most 50,000. @throws BlobConflict, BlocksGone */
  commitBlocks(
    name: string,
    blockIds: readonly string[],
    options?: Condition & { metadata?: Record<string, string> },
  ): Promise<Changed>;
  /** Replaces the metadata, which also gives a new ETag and time: a touch. @throws BlobConflict, also if there is none */
  setMetadata(name: string, metadata: Record<string, string>, condition?: Condition): Promise<Changed>;
  /** @returns false if there was none. @throws BlobConflict */
  delete(name: string, condition?: Condition): Promise<boolean>;
  /** Sorted by name. */
  list(prefix: string): AsyncIterable<BlobInfo>;
  /**
   * The same in pages of at most 1000, for who goes on later, also elsewhere.
   * @param from what the page before gave as `next`
   */
  page(
    prefix: string,
    from?: string,
  ): Promise<{ readonly blobs: readonly BlobInfo[]; readonly next?: string }>;
  /** A URL that reads this one blob for `seconds`, by user-delegation SAS. */
  readUrl(name: string, seconds: number): Promise<string>;
  /**
   * A URL by which blocks of this one blob may be staged for `seconds`, and that changes no blob which is there already.
   * Undefined where the store cannot promise that.
   */
  writeUrl(name: string, seconds: number): Promise<string | undefined>;
  /** Blocks that are staged and part of no blob yet. */
  stagedBlocks(name: string): Promise<readonly StagedBlock[]>;
  /**
   * Closes a blob to everybody, also to requests that are on their way already: an infinite lease that nobody is told of. It
   * can be read; to delete it or to set its metadata opens it. Doing it again does nothing. @throws BlobConflict if there is none
   */
  seal(name: string): Promise<BlobInfo>;
}

/** A condition did not hold; nothing was written. */
export class BlobConflict extends Error {
  override readonly name = 'BlobConflict';
}

/** Blocks that a blob was to be made of are not staged: they were never, another blob was made since, or they expired. */
export class BlocksGone extends Error {
  override readonly name = 'BlocksGone';
}
