import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { pack } from 'tar-stream';

const PROGRAMS = ['/bin/sh', '/bin/sleep', '/bin/cat', '/bin/echo', '/bin/mkdir'];

/** A root file system with a shell and a few programs: this computer's own, with the libraries that they load. A tar. */
export async function shellRoot(): Promise<Buffer> {
  const tar = pack();
  const files = new Set(PROGRAMS.flatMap((program) => [program, ...librariesOf(program)]));
  // Named, since what an engine makes of folders that are not is not open to every user.
  for (const folder of foldersOf(files)) tar.entry({ name: folder, type: 'directory', mode: 0o755 });
  for (const file of files) tar.entry({ name: file.slice(1), mode: 0o755 }, readFileSync(realpathSync(file)));
  tar.entry({ name: 'tmp', type: 'directory', mode: 0o1777 });
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Those above these files, the outer ones first. */
const foldersOf = (files: Iterable<string>): string[] => [
  ...new Set(
    [...files].flatMap((file) => {
      const parts = file.split('/').slice(1, -1);
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    }),
  ),
];

const librariesOf = (program: string): string[] =>
  execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \()/g) ?? [];
