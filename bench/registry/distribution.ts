import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { TestStorage } from '../../test/support/storage.ts';
import type { Contestant } from './contestant.ts';
import { freePort, startProgram } from './program.ts';

/** A program of distribution, and how it is told of a storage account. */
export interface Program {
  readonly name: string;
  readonly program: string;
  /** Absent where it was built without this driver. */
  readonly azure?: (account: Account) => Record<string, unknown>;
}

export interface Account {
  readonly name: string;
  readonly key: string;
  readonly blobUri: string;
  /** One that is there. */
  readonly container: string;
}

/** Starts one on a storage driver. @throws if it does not answer, with what it printed */
export async function startDistribution(
  { name, program }: Program,
  driver: 'azure' | 'filesystem',
  settings: Record<string, unknown>,
  folder: string,
  { environment }: TestStorage,
): Promise<Contestant> {
  const title = `${name}, ${driver}`;
  const port = await freePort();
  const file = join(folder, `${title.replace(/\W+/g, '-')}.yml`);
  await writeFile(
    file,
    stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { [driver]: settings, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  );
  return startProgram({
    ...{ title, program, port, args: ['serve', file] },
    environment: {
      PATH: process.env['PATH'],
      HOME: folder,
      SSL_CERT_FILE: environment['NODE_EXTRA_CA_CERTS'],
      OTEL_TRACES_EXPORTER: 'none',
    },
  });
}
