/**
 * A container of append blobs, which comes to be with its first write.
 * https://learn.microsoft.com/rest/api/storageservices/append-block
 */
export interface AppendBlobs {
  /**
   * Appends at exactly this position, so that doing it again appends nothing twice. At 0 the blob is made. At most 4 MiB.
   * @returns the blob's new size; undefined if it does not end at `position`
   */
  append(name: string, position: number, bytes: Uint8Array): Promise<number | undefined>;
  /** At most `most` bytes from `offset` on; none where nothing stands. */
  read(name: string, offset: number, most: number): Promise<Uint8Array>;
  /** Sorted by name. */
  list(prefix: string): AsyncIterable<AppendBlobInfo>;
  /** First parts of names, up to the first `/`. */
  folders(): AsyncIterable<string>;
  /** Removing what is not there is no error. */
  remove(name: string): Promise<void>;
}

export interface AppendBlobInfo {
  readonly name: string;
  readonly size: number;
  readonly modifiedAt: Date;
}
