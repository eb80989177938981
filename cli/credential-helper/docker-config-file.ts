import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { ConfigChange } from './docker-config.ts';

/** Where docker looks: DOCKER_CONFIG is a folder. */
export const dockerConfigFile = (environment: Readonly<Record<string, string | undefined>>): string =>
  join(environment.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');

/**
 * Changes the file whole or not at all: what it is a link to, with the mode that it had; a new one only its owner may read.
 * @returns whether there was anything to change
 * @throws Failure `docker-config-invalid`, `docker-helper-taken`, `file-unreadable`
 */
export function changeDockerConfig(
  file: string,
  change: (text: string | undefined) => ConfigChange,
): boolean {
  const found = read(file);
  const changed = change(found?.text);
  switch (changed.kind) {
    case 'unchanged':
      return false;
    case 'malformed':
      throw new Failure({
        code: 'docker-config-invalid',
        message: `${file} is no configuration of docker: ${changed.why}`,
        remedy: 'Mend it; it was left as it is.',
        exitCode: exitCodes.usage,
      });
    case 'taken':
      throw new Failure({
        code: 'docker-helper-taken',
        message: `${file} has docker-credential-${changed.helper} for ${changed.host}.`,
        remedy: 'Put --force to have docker-credential-berth in its place.',
        exitCode: exitCodes.usage,
      });
    case 'changed': {
      const target = found?.target ?? file;
      const temporary = `${target}.berth-${process.pid}`;
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      writeFileSync(temporary, changed.text, { mode: 0o600, flag: 'wx' });
      if (found !== undefined) chmodSync(temporary, found.mode);
      renameSync(temporary, target);
      return true;
    }
  }
}

function read(file: string): { text: string; target: string; mode: number } | undefined {
  try {
    const target = realpathSync(file);
    return { target, text: readFileSync(target, 'utf8'), mode: statSync(target).mode & 0o777 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Failure({
      code: 'file-unreadable',
      message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      remedy: "Run the command as the user who owns docker's configuration, or set DOCKER_CONFIG.",
      exitCode: exitCodes.unauthorised,
    });
  }
}
