import type { Blobs } from '../state/blobs.ts';
import type { Upload } from './uploads.ts';

const MOST = 256;
/** Blocks of an upload that is remembered, so that all of them are some MB at most. */
const MOST_BLOCKS = 1_000;

/**
 * The uploads of a process as it saved them last. Its answer names that version in the upload's address, and only a request that
 * comes with it is served from here: so one whose upload went on in another process meanwhile never is.
 */
class UploadMemory {
  readonly #uploads = new Map<string, Upload>();

  find(id: string, version: string): Upload | undefined {
    const upload = this.#uploads.get(id);
    return upload !== undefined && versionOf(upload) === version ? upload : undefined;
  }

  keep(upload: Upload): void {
    this.#uploads.delete(upload.id);
    if (upload.blockIds.length > MOST_BLOCKS) return;
    this.#uploads.set(upload.id, upload);
    const [oldest] = this.#uploads.keys();
    if (this.#uploads.size > MOST && oldest !== undefined) this.#uploads.delete(oldest);
  }

  forget(id: string): void {
    this.#uploads.delete(id);
  }
}

/** An ETag as a path takes it. */
const versionOf = ({ etag }: Upload): string => etag.replaceAll(/\W/g, '');

const memories = new WeakMap<Blobs, UploadMemory>();

export function uploadsOf(blobs: Blobs): UploadMemory {
  const memory = memories.get(blobs) ?? new UploadMemory();
  memories.set(blobs, memory);
  return memory;
}

/** Last part of an upload's address: its id and version. */
export const referenceTo = (upload: Upload): string => `${upload.id}~${versionOf(upload)}`;

/** @returns its parts; an address without a version is as good, and costs one more request of storage */
export function partsOf(reference: string): { readonly id: string; readonly version: string | undefined } {
  const [id = '', version] = reference.split('~', 2);
  return { id, version };
}
