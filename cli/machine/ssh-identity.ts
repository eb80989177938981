import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { DataFolder } from './data-folder.ts';
import { readIfThere, writeWhole } from './private-file.ts';

/** In the order of ssh(1), without those that need a device. */
const DEFAULTS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** Type and base64 of a public key: its comment may differ. */
const essence = (key: string): string => key.trim().split(/\s+/).slice(0, 2).join(' ');

/**
 * The public key in a file, or beside it where the file is a private one; its place is remembered for `ssh`.
 * @throws Failure `ssh-key-unreadable`
 */
export function readPublicKey(file: string, folder: DataFolder): string {
  const path = resolve(file);
  const text = readIfThere(path);
  const isPrivate = text?.includes('PRIVATE KEY') === true;
  const key = isPrivate ? readIfThere(`${path}.pub`) : text;
  if (key === undefined)
    throw new Failure({
      code: 'ssh-key-unreadable',
      message: isPrivate
        ? `${file} is a private key, and there is no ${file}.pub beside it.`
        : `There is no file ${file}.`,
      remedy: isPrivate
        ? `Make it: ssh-keygen -y -f ${file} > ${file}.pub`
        : 'Name the file of a public key with --ssh-key, for example ~/.ssh/id_ed25519.pub.',
      exitCode: exitCodes.usage,
    });
  const identity = isPrivate ? path : path.replace(/\.pub$/, '');
  const remembered = (readIfThere(folder.identities) ?? '').split('\n').filter((line) => line !== '');
  if (!remembered.includes(identity) && existsSync(identity))
    writeWhole(folder.identities, [...remembered, identity].map((line) => `${line}\n`).join(''));
  return key.trim();
}

/**
 * The user's own keys, or one that is made for this computer where there is none.
 * @throws Failure `ssh-keygen-missing`
 */
export function defaultPublicKeys(folder: DataFolder): readonly string[] {
  const found = DEFAULTS.flatMap((name) => readIfThere(join(homedir(), '.ssh', `${name}.pub`)) ?? []);
  if (found.length > 0) return found.map((key) => key.trim());
  if (!existsSync(folder.ownKey)) makeKey(folder);
  return [(readIfThere(`${folder.ownKey}.pub`) ?? '').trim()];
}

function makeKey({ ownKey, identities }: DataFolder): void {
  // Makes the folder, for its owner alone.
  writeWhole(identities, readIfThere(identities) ?? '');
  const { error, status, stderr } = spawnSync(
    'ssh-keygen',
    ['-q', '-t', 'ed25519', '-N', '', '-C', 'berth', '-f', ownKey],
    { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] },
  );
  if (error === undefined && status === 0) return;
  throw new Failure({
    code: 'ssh-keygen-missing',
    message: `There is no key in ~/.ssh, and none could be made: ${error?.message ?? stderr.trim()}`,
    remedy: 'Install OpenSSH, or name a public key with --ssh-key FILE.',
    exitCode: exitCodes.failed,
  });
}

/** Private keys on this computer whose public ones a machine has; empty where an agent or ssh's own search must find one. */
export function identitiesFor(keys: readonly string[], folder: DataFolder): readonly string[] {
  const wanted = new Set(keys.map(essence));
  const ssh = join(homedir(), '.ssh');
  const candidates = [
    ...(readIfThere(folder.identities) ?? '').split('\n').filter((line) => line !== ''),
    folder.ownKey,
    ...publicKeysIn(ssh).map((name) => join(ssh, name.replace(/\.pub$/, ''))),
  ];
  return [...new Set(candidates)].filter((path) => {
    const key = existsSync(path) ? readIfThere(`${path}.pub`) : undefined;
    return key !== undefined && wanted.has(essence(key));
  });
}

function publicKeysIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.pub'));
  } catch {
    return [];
  }
}
