import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { hashKey, makeKey } from '../../shared/auth/api-key.ts';
import type { TestStorage } from './storage.ts';

/** A registry of its own process: `npm run registry` on a storage account of a test. */
export interface LoneRegistry {
  /** `127.0.0.1:<port>`, plain HTTP. */
  readonly host: string;
  /** The administrator's API key, to be sent as the password. */
  readonly adminKey: string;
  readonly pid: number;
  /** Ends it as an operator would. @returns its exit code */
  stop(): Promise<number | null>;
}

/** The sources, and what `npm run registry` runs. */
const programs = { sources: '../../infra/registry/main.ts', bundle: '../../infra/registry/start.mjs' };

/** @param over further settings, or others */
export async function startLoneRegistry(
  storage: Pick<TestStorage, 'blobUri' | 'tableUri' | 'environment'>,
  over: Readonly<Record<string, string>> = {},
  program: keyof typeof programs = 'sources',
): Promise<LoneRegistry> {
  const adminKey = makeKey('admin');
  const child = spawn(process.execPath, [resolve(import.meta.dirname, programs[program])], {
    env: {
      PATH: process.env['PATH'],
      ...storage.environment,
      AZURE_CLIENT_ID: storage.environment['AzureWebJobsStorage__clientId'],
      REGISTRY_CREDENTIAL: 'managed-identity',
      REGISTRY_BLOB_URI: storage.blobUri,
      REGISTRY_TABLE_URI: storage.tableUri,
      REGISTRY_MASTER_KEY: randomBytes(32).toString('base64'),
      REGISTRY_ADMIN_KEY_SHA256: hashKey(adminKey),
      REGISTRY_PORT: '0',
      ...over,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  // Whatever becomes of this process, it leaves nothing behind.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    ended.then((code) => `ended with ${code}`),
  ]);
  const host = /^registry on https?:\/\/(?<host>\S+)$/.exec(line)?.groups?.['host'];
  if (host === undefined || child.pid === undefined)
    throw new Error(`the registry did not start: ${line}; it says why above`);
  return {
    host,
    adminKey,
    pid: child.pid,
    async stop() {
      process.off('exit', kill);
      child.kill('SIGTERM');
      return ended;
    },
  };
}
