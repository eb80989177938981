import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What docker compose v2 reads files with, built with Go at the version of `compose-go/go.mod`. */
export interface ComposeGo {
  /** One answer a project, in order. */
  read(projects: readonly ComposeGoProject[]): readonly ComposeGoAnswer[];
  remove(): void;
}

export interface ComposeGoProject {
  readonly directory: string;
  readonly files: readonly string[];
  readonly profiles: readonly string[];
  /** `NAME=value` */
  readonly variables: readonly string[];
}

export interface ComposeGoAnswer {
  /** The project as its JSON has it; absent where it is refused. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of any form
  readonly project?: any;
  readonly error?: string;
}

const source = fileURLToPath(new URL('compose-go/', import.meta.url));

export function buildComposeGo(): ComposeGo {
  const folder = mkdtempSync(join(tmpdir(), 'test-compose-go-'));
  const program = join(folder, 'read');
  execFileSync('go', ['build', '-o', program, '.'], {
    cwd: source,
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return {
    read(projects) {
      const { stdout } = spawnSync(program, [], {
        input: projects.map((one) => `${JSON.stringify(one)}\n`).join(''),
        encoding: 'utf8',
        // A home of its own would be put in place of `~`.
        env: { HOME: '/home/me' },
        maxBuffer: 2 ** 28,
      });
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as ComposeGoAnswer);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
