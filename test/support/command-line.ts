import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody at a computer of their own: home, docker's configuration and the command line. */
export interface Person {
  readonly home: string;
  readonly variables: Readonly<Record<string, string>>;
  /** `berth <words>` */
  berth(...words: readonly string[]): Promise<Said>;
  /** The same, with what it wrote to stdout. @throws if it did not end with 0 */
  berthSays(...words: readonly string[]): Promise<string>;
  /** A line in bash, in which `berth` is the command line. */
  bash(line: string, more?: Readonly<Record<string, string>>): Promise<Said>;
}

/** @param folder is theirs, and empty */
export function personAt(
  folder: string,
  connection: { readonly url: string; readonly key: string; readonly caFile: string },
): Person {
  mkdirSync(folder, { recursive: true });
  const variables = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    DOCKER_CONFIG: join(folder, '.docker'),
    BERTH_URL: connection.url,
    BERTH_KEY: connection.key,
    BERTH_CA: connection.caFile,
    NO_COLOR: '1',
    SHELL: '/bin/bash',
  };
  const berth: Person['berth'] = (...words) => run(process.execPath, [main, ...words], variables);
  return {
    home: folder,
    variables,
    berth,
    async berthSays(...words) {
      const said = await berth(...words);
      if (said.code === 0) return said.stdout;
      throw new Error(`berth ${words.join(' ')} ended with ${said.code}:\n${said.stdout}${said.stderr}`);
    },
    bash: (line, more) =>
      run('bash', ['-c', `berth() { '${process.execPath}' '${main}' "$@"; }\n${line}`], {
        ...variables,
        ...more,
      }),
  };
}

const run = (
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Said> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, stderr }));
  });
