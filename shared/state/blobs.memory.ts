import { Readable } from 'node:stream';
import { BlobConflict, type BlobInfo, type Blobs, BlocksGone, type Condition } from './blobs.ts';

interface Blob {
  readonly info: BlobInfo;
  readonly bytes: Uint8Array;
}

/** Blobs of a page. */
const PAGE = 1000;

/** A container in this process's memory: for tests, with the same ETags, conditions and blocks. */
export function memoryBlobs(now: () => Date = () => new Date()): Blobs {
  const blobs = new Map<string, Blob>();
  /** Staged and not yet committed: by blob, then by id. */
  const staged = new Map<string, Map<string, Uint8Array>>();
  const sealed = new Set<string>();
  let version = 0;

  const check = (name: string, { ifMatch, ifNoneMatch }: Condition): void => {
    const found = blobs.get(name);
    if (ifNoneMatch !== undefined && found !== undefined) throw new BlobConflict(`${name}: exists`);
    if (ifMatch !== undefined && found?.info.etag !== ifMatch) throw new BlobConflict(`${name}: changed`);
  };
  const store = (name: string, bytes: Uint8Array, metadata: Record<string, string>): BlobInfo => {
    version += 1;
    const info = {
      name,
      etag: `"${version}"`,
      size: bytes.length,
      modifiedAt: now(),
      metadata: { ...metadata },
    };
    blobs.set(name, { info, bytes });
    return info;
  };

  const checkOpen = (name: string): void => {
    if (sealed.has(name)) throw new BlobConflict(`${name}: is sealed`);
  };

  return {
    async head(name) {
      return blobs.get(name)?.info;
    },
    async read(name) {
      const found = blobs.get(name);
      return found && { info: found.info, bytes: copyOf(found.bytes) };
    },
    async open(name, { offset, count } = { offset: 0 }) {
      const found = blobs.get(name);
      if (found === undefined) return undefined;
      if (offset > 0 && offset >= found.bytes.length)
        throw new RangeError(`blob ${name} has no byte ${offset}`);
      const bytes = found.bytes.slice(offset, count === undefined ? undefined : offset + count);
      return { info: found.info, stream: Readable.from(bytes.length === 0 ? [] : [bytes]) };
    },
    async put(name, bytes, { metadata = {}, ...condition } = {}) {
      check(name, condition);
      checkOpen(name);
      staged.delete(name);
      return store(name, copyOf(bytes), metadata);
    },
    async stageBlock(name, blockId, bytes) {
      const blocks = staged.get(name) ?? new Map<string, Uint8Array>();
      blocks.set(blockId, copyOf(bytes));
      staged.set(name, blocks);
    },
    async commitBlocks(name, blockIds, { metadata = {}, ...condition } = {}) {
      check(name, condition);
      checkOpen(name);
      const parts = blockIds.map((id) => {
        const part = staged.get(name)?.get(id);
        if (part === undefined) throw new BlocksGone(`${name}: block ${id} is not staged`);
        return part;
      });
      staged.delete(name);
      return store(name, Buffer.concat(parts), metadata);
    },
    async setMetadata(name, metadata, condition = {}) {
      const found = blobs.get(name);
      if (found === undefined) throw new BlobConflict(`${name}: there is no such blob`);
      check(name, condition);
      sealed.delete(name);
      return store(name, found.bytes, metadata);
    },
    async delete(name, condition = {}) {
      if (!blobs.has(name)) return false;
      check(name, condition);
      sealed.delete(name);
      return blobs.delete(name);
    },
    async *list(prefix) {
      for (const name of [...blobs.keys()].sort()) {
        const found = blobs.get(name);
        if (found !== undefined && name.startsWith(prefix)) yield found.info;
      }
    },
    async page(prefix, from = '') {
      const names = [...blobs.keys()].filter((name) => name.startsWith(prefix) && name > from).sort();
      const page = names.slice(0, PAGE);
      const last = page.at(-1);
      return {
        blobs: page.flatMap((name) => blobs.get(name)?.info ?? []),
        ...(names.length > PAGE && last !== undefined ? { next: last } : {}),
      };
    },
    /** The bytes themselves, as a data: URL. */
    async readUrl(name) {
      const bytes = blobs.get(name)?.bytes ?? new Uint8Array();
      return `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`;
    },
    /** Nobody outside this process could use one. */
    async writeUrl() {
      return undefined;
    },
    async stagedBlocks(name) {
      return [...(staged.get(name) ?? [])].map(([id, bytes]) => ({ id, size: bytes.length }));
    },
    async seal(name) {
      const found = blobs.get(name);
      if (found === undefined) throw new BlobConflict(`${name}: there is no such blob`);
      sealed.add(name);
      return found.info;
    },
  };
}

/** Unlike `slice`, which gives a Buffer's own bytes: whoever wrote may use them again. */
const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);
