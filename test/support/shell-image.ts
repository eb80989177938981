import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { pack } from 'tar-stream';

const PROGRAMS = ['/bin/sh', '/bin/sleep'];

/**
 * A root file system with a shell and `sleep`, or other programs: this computer's own, with the libraries that they load.
 * A tar.
 */
export async function shellRoot(programs: readonly string[] = PROGRAMS): Promise<Buffer> {
  const tar = pack();
  const files = new Set(programs.flatMap((program) => [program, ...librariesOf(program)]));
  // A folder that no entry names is made for its owner alone, whom a container without capabilities is not.
  for (const folder of new Set([...files].flatMap(foldersOf)))
    tar.entry({ name: folder, type: 'directory', mode: 0o755 });
  for (const file of files) tar.entry({ name: file.slice(1), mode: 0o755 }, readFileSync(realpathSync(file)));
  tar.entry({ name: 'tmp', type: 'directory', mode: 0o1777 });
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** `/a/b/c` is in `a` and `a/b`. */
const foldersOf = (file: string): string[] => {
  const parts = file.slice(1).split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
};

const librariesOf = (program: string): string[] =>
  execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \()/g) ?? [];
