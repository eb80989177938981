import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineProgram, ProgramEnd } from '../../infra/local/machine-runtime/machine-runtime.ts';

/**
 * Runs what is run in machines as processes of this computer, with a folder for each machine's files (MACHINE_ROOT).
 * @param environment more of it, for example SSL_CERT_FILE
 */
export const programsIn =
  (folder: string, environment: Readonly<Record<string, string>> = {}) =>
  (machine: string, { command, input }: MachineProgram): Promise<ProgramEnd> =>
    new Promise((resolve, reject) => {
      const root = join(folder, machine);
      mkdirSync(root, { recursive: true });
      const [program = '', ...rest] = command;
      const child = spawn(program, rest, {
        env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', MACHINE_ROOT: root, ...environment },
      });
      const written: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
      child.stdout.on('data', (chunk: Buffer) => written.stdout.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => written.stderr.push(chunk));
      child.on('error', reject);
      child.on('close', (code) =>
        resolve({
          exitCode: code ?? 137,
          stdout: Buffer.concat(written.stdout).toString(),
          stderr: Buffer.concat(written.stderr).toString(),
        }),
      );
      child.stdin.on('error', () => {});
      child.stdin.end(input ?? '');
    });
