import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contestant } from './contestant.ts';
import { freePort, startProgram } from './program.ts';

/**
 * Starts zot on its local storage, with all else as it is by itself.
 * https://zotregistry.dev/latest/admin-guide/admin-configuration/
 * @throws if it does not answer, with what it printed
 */
export async function startZot(name: string, folder: string): Promise<Contestant> {
  const port = await freePort();
  const file = join(folder, 'zot.json');
  await writeFile(
    file,
    JSON.stringify({
      distSpecVersion: '1.1.1',
      storage: { rootDirectory: join(folder, 'zot') },
      http: { address: '127.0.0.1', port: String(port) },
      log: { level: 'error' },
    }),
  );
  return startProgram({
    ...{ title: `${name}, filesystem`, program: 'zot', port, args: ['serve', file] },
    environment: { PATH: process.env['PATH'], HOME: folder },
  });
}
