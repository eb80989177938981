import type { AppendBlobs } from './append-blobs.ts';

export interface MemoryAppendBlobs extends AppendBlobs {
  /** How often something was appended. */
  readonly appends: () => number;
}

export function memoryAppendBlobs(now: () => Date = () => new Date()): MemoryAppendBlobs {
  const blobs = new Map<string, { bytes: Buffer; modifiedAt: Date }>();
  let appends = 0;
  return {
    appends: () => appends,
    async append(name, position, bytes) {
      const before = blobs.get(name)?.bytes ?? Buffer.alloc(0);
      if (before.length !== position) return undefined;
      appends += 1;
      blobs.set(name, { bytes: Buffer.concat([before, bytes]), modifiedAt: now() });
      return position + bytes.length;
    },
    async read(name, offset, most) {
      return (blobs.get(name)?.bytes ?? Buffer.alloc(0)).subarray(offset, offset + most);
    },
    async *list(prefix) {
      for (const name of [...blobs.keys()].sort()) {
        const found = blobs.get(name);
        if (found !== undefined && name.startsWith(prefix))
          yield { name, size: found.bytes.length, modifiedAt: found.modifiedAt };
      }
    },
    async *folders() {
      yield* new Set([...blobs.keys()].map((name) => name.split('/')[0] ?? ''));
    },
    async remove(name) {
      blobs.delete(name);
    },
  };
}
