import type { DirectUpload } from './session.ts';

/** Bytes of a block where that is enough. */
const BLOCK = 8 * 1024 * 1024;
/** The most that a blob has: https://learn.microsoft.com/rest/api/storageservices/put-block-list */
const MOST_BLOCKS = 50_000;
/** Largest block, bytes: https://learn.microsoft.com/rest/api/storageservices/put-block */
const LARGEST_BLOCK = 4000 * 1024 * 1024;
/** Largest blob that can be uploaded, bytes. */
export const LARGEST = MOST_BLOCKS * LARGEST_BLOCK;

/** Whole MiB, so that a blob has at most 50,000 of them. */
export const blockSizeFor = (size: number): number =>
  Math.max(BLOCK, Math.ceil(size / MOST_BLOCKS / 1024 / 1024) * 1024 * 1024);

export interface Block {
  /** Base64; all are of one length. */
  readonly id: string;
  readonly offset: number;
  readonly size: number;
}

/** The blocks of an upload, in order: the same whenever they are asked for, so that an upload can be gone on with. */
export function blocksOf({ size, blockSize }: Pick<DirectUpload, 'size' | 'blockSize'>): readonly Block[] {
  return Array.from({ length: Math.ceil(size / blockSize) }, (_, index) => ({
    id: Buffer.from(String(index).padStart(9, '0')).toString('base64'),
    offset: index * blockSize,
    size: Math.min(blockSize, size - index * blockSize),
  }));
}
