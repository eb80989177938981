import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';

export interface LocalFile {
  readonly path: string;
  /** In the archive. */
  readonly name: string;
  readonly stats: Stats;
}

/** Beside its bytes a file takes this in an archive. */
const HEADER = 1024;

/** A file or folder with all that is in it, its own name replaced; folders before what is in them. */
export async function* localFiles(path: string, name: string): AsyncGenerator<LocalFile> {
  const stats = await lstat(path);
  yield { path, name, stats };
  if (!stats.isDirectory()) return;
  for (const child of (await readdir(path)).sort()) yield* localFiles(join(path, child), `${name}/${child}`);
}

/**
 * Files in archives of about `batch` bytes, one after the other; a file of more has one of its own.
 * @throws Failure `file-too-large`
 */
export async function* archives(
  files: AsyncIterable<LocalFile>,
  { batch: enough, most }: { readonly batch: number; readonly most: number },
): AsyncGenerator<readonly LocalFile[]> {
  let batch: LocalFile[] = [];
  let size = 0;
  for await (const file of files) {
    const own = HEADER + (file.stats.isFile() ? file.stats.size : 0);
    if (own > most)
      throw new Failure({
        code: 'file-too-large',
        message: `${file.path} has ${file.stats.size} bytes; one file may have ${most - HEADER}.`,
        remedy: 'Split it (split -b 100M) and put it together there, or give it by a volume or an image.',
        exitCode: exitCodes.usage,
      });
    if (size + own > enough && batch.length > 0) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(file);
    size += own;
  }
  if (batch.length > 0) yield batch;
}

/** A tar archive. Owners are root; sockets and devices are left out. */
export function packed(files: readonly LocalFile[]): AsyncIterable<Uint8Array> {
  const archive = pack();
  const write = async (): Promise<void> => {
    for (const { path, name, stats } of files) {
      const header = { name, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: 0, gid: 0 };
      if (stats.isFile())
        await pipeline(createReadStream(path), archive.entry({ ...header, size: stats.size }));
      else if (stats.isDirectory()) archive.entry({ ...header, type: 'directory' });
      else if (stats.isSymbolicLink())
        archive.entry({ ...header, type: 'symlink', linkname: await readlink(path) });
    }
    archive.finalize();
  };
  write().catch((error: Error) => archive.destroy(error));
  return archive as AsyncIterable<Uint8Array>;
}
