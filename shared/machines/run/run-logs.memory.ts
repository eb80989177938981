import type { RunLogs } from './run-logs.ts';

export interface MemoryRunLogs extends RunLogs {
  /** Appends as the holder of an address does. @throws if it is sealed */
  append(name: string, text: string): void;
  names(): readonly string[];
}

export function memoryRunLogs(): MemoryRunLogs {
  const blobs = new Map<string, Buffer>();
  const sealed = new Set<string>();
  return {
    append(name, text) {
      if (sealed.has(name)) throw new Error(`${name} is sealed`);
      blobs.set(name, Buffer.concat([blobs.get(name) ?? Buffer.alloc(0), Buffer.from(text)]));
    },
    names: () => [...blobs.keys()],
    writeUrl: async (name, seconds) => `https://memory.invalid/run-logs/${name}?se=${seconds}`,
    async read(name, offset, most) {
      const all = blobs.get(name) ?? Buffer.alloc(0);
      return { bytes: all.subarray(offset, offset + most), size: all.length };
    },
    seal: async (name) => void sealed.add(name),
    async remove(prefix) {
      for (const name of blobs.keys()) if (name.startsWith(prefix)) blobs.delete(name);
    },
  };
}
