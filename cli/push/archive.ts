import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { bytesOf, type Region } from './region.ts';
import { tarIndex } from './tar-index.ts';

/** Files of an image, from a tar or a folder, by their path in it. */
export interface Archive {
  /** For messages. */
  readonly name: string;
  has(path: string): boolean;
  /** @throws Failure `archive-incomplete` */
  region(path: string): Region;
  /** A JSON file. @throws Failure `archive-incomplete`, `archive-invalid` */
  json(path: string): Promise<unknown>;
}

/** Documents of an archive are small: configurations and manifests. */
const LARGEST_DOCUMENT = 16 * 1024 * 1024;

/** @param name for messages. @throws Failure `archive-invalid` */
export async function openArchive(path: string, name = path): Promise<Archive> {
  const isFolder = (await stat(path)).isDirectory();
  return archiveOf(name, isFolder ? await folderIndex(path) : await tarIndex(path));
}

function archiveOf(name: string, index: ReadonlyMap<string, Region>): Archive {
  const region = (path: string): Region => {
    const found = index.get(path);
    if (found === undefined)
      throw new Failure({
        code: 'archive-incomplete',
        message: `${name} has no ${path}, which it names.`,
        remedy: 'Write it anew: docker save, podman save, or skopeo copy … oci:…',
        exitCode: exitCodes.usage,
      });
    return found;
  };
  return {
    name,
    has: (path) => index.has(path),
    region,
    async json(path) {
      const found = region(path);
      try {
        if (found.size > LARGEST_DOCUMENT) throw new Error(`it has ${found.size} bytes`);
        return JSON.parse((await bytesOf(found)).toString('utf8'));
      } catch (error) {
        throw new Failure({
          code: 'archive-invalid',
          message: `${path} in ${name} is no JSON: ${error instanceof Error ? error.message : String(error)}`,
          remedy: 'Write it anew: docker save, podman save, or skopeo copy … oci:…',
          exitCode: exitCodes.usage,
        });
      }
    },
  };
}

/** What an image layout has: files at the top, and `blobs/<algorithm>/<hex>`. */
async function folderIndex(folder: string): Promise<ReadonlyMap<string, Region>> {
  const found = new Map<string, Region>();
  const add = async (path: string, depth: number): Promise<void> => {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory() && depth > 0) await add(name, depth - 1);
      else if (entry.isFile()) {
        const file = join(folder, name);
        found.set(name, { file, offset: 0, size: (await lstat(file)).size });
      }
    }
  };
  await add('', 2);
  return found;
}
