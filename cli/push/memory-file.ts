import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Digest } from '../../shared/model/image.ts';

/** How many of each kind are kept, the newest. */
const MOST = 2000;

const Memory = z.object({
  /** By diff id and kind of compression: what a layer became. */
  compressed: z.record(z.string(), z.object({ digest: Digest, size: z.number() })).default({}),
  /** By registry, repository and digest: an upload that was begun; empty once it is over. */
  uploads: z.record(z.string(), z.string()).default({}),
  /** By registry and digest: repositories that have the blob. */
  places: z.record(z.string(), z.array(z.string())).default({}),
});
type Memory = z.infer<typeof Memory>;

/** What earlier pushes of this user learnt. All of it may be wrong or lost: then a push does more than it must. */
export interface MemoryFile {
  readonly memory: Memory;
  /** What is known anew is there for the next push, also if this one is killed. */
  save(): Promise<void>;
}

export async function memoryFile(folder: string): Promise<MemoryFile> {
  const file = join(folder, 'push.json');
  const memory = await read(file);
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    // Another push may have written meanwhile: what it learnt stays.
    const other = await read(file);
    const merged: Memory = {
      compressed: newest({ ...other.compressed, ...memory.compressed }),
      uploads: newest(going({ ...other.uploads, ...memory.uploads })),
      places: newest({ ...other.places, ...memory.places }),
    };
    const temporary = `${file}.${process.pid}`;
    await writeFile(temporary, JSON.stringify(merged), { mode: 0o600 });
    await rename(temporary, file);
  };
  return {
    memory,
    save() {
      writing = writing.then(write, write);
      return writing;
    },
  };
}

/** Name of what a layer became. */
export const compressedKey = (diffId: string, compression: string): string => `${diffId} ${compression}`;

async function read(file: string): Promise<Memory> {
  try {
    return Memory.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return Memory.parse({});
  }
}

/** Objects keep the order in which their names came. */
const newest = <T>(entries: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(entries).slice(-MOST));

const going = (uploads: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(uploads).filter(([, upload]) => upload !== ''));
