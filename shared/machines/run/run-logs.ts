/**
 * Blobs that machines append their output to, in the container `run-logs`.
 * https://learn.microsoft.com/rest/api/storageservices/append-block
 */
export interface RunLogs {
  /** An address by which its holder makes this one blob and appends to it, for `seconds`. Makes the container. */
  writeUrl(name: string, seconds: number): Promise<string>;
  /** What stands there from `offset` on, at most `most` bytes. A blob that is not there yet is empty. */
  read(name: string, offset: number, most: number): Promise<RunLogPiece>;
  /** Nobody appends any more, whatever address he holds. */
  seal(name: string): Promise<void>;
  /** Removes all whose names begin so. */
  remove(prefix: string): Promise<void>;
}

export interface RunLogPiece {
  readonly bytes: Uint8Array;
  /** Bytes of the whole, as it is now. */
  readonly size: number;
}
