import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApiServer } from './api-server.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export interface ProgramEnded {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The command line as a program of its own, against an API server. */
export function berthProgram(server: Pick<ApiServer, 'url' | 'adminKey' | 'ca'>) {
  const folder = mkdtempSync(join(tmpdir(), 'test-berth-'));
  writeFileSync(join(folder, 'ca.pem'), server.ca);
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    BERTH_URL: server.url,
    BERTH_KEY: server.adminKey,
    BERTH_CA: join(folder, 'ca.pem'),
  };
  const start = (args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [main, ...args], { env, cwd: folder, stdio: 'pipe' });
  return {
    folder,
    start,
    run: (args: readonly string[], input?: Uint8Array): Promise<ProgramEnded> =>
      new Promise((resolve) => {
        const child = start(args);
        const stdout: Buffer[] = [];
        let stderr = '';
        child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
        child.stderr?.setEncoding('utf8').on('data', (text: string) => {
          stderr += text;
        });
        child.stdin?.on('error', () => {});
        child.stdin?.end(input);
        child.on('close', (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr }));
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
