import { Readable } from 'node:stream';
import { pack } from 'tar-stream';

interface TarFile {
  readonly content: string | Uint8Array;
  readonly mode?: number;
}

/** A tar archive of these files, by path. Owner is root, the time is fixed: equal files give equal bytes. */
export function tarOf(files: Readonly<Record<string, string | TarFile>>): Readable {
  const archive = pack();
  for (const [name, file] of Object.entries(files)) {
    const { content, mode = 0o644 } = typeof file === 'string' ? { content: file } : file;
    archive.entry({ name, mode, uid: 0, gid: 0, mtime: new Date(0) }, Buffer.from(content));
  }
  archive.finalize();
  return Readable.from(archive);
}
