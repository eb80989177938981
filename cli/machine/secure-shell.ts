import { spawn } from 'node:child_process';
import type { Machine } from '../../shared/model/machine.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { DataFolder } from './data-folder.ts';
import { hostKeysOnConsole, isKnown, keysIn, rememberHostKeys } from './known-hosts.ts';
import { addressOf, mustRun } from './machine-address.ts';
import type { MachineSession } from './machine-session.ts';
import { readConsole } from './read-console.ts';
import { identitiesFor } from './ssh-identity.ts';

export interface SshTarget {
  readonly machine: Machine;
  readonly address: string;
  readonly user: string;
}

/**
 * Whom to reach and as whom; from then on the known_hosts of ours has the host keys that the machine registered with.
 * @throws Failure `ssh-not-here` for machines of pools, `host-key-unknown`
 */
export async function sshTarget(session: MachineSession, name: string): Promise<SshTarget> {
  const machine = mustRun(await session.find(name));
  if (machine.hand === undefined)
    throw new Failure({
      code: 'ssh-not-here',
      message: `${name} is a machine of the pool ${machine.pool}: nobody has a key for it.`,
      remedy: `Run a command on it: berth machine run ${name} -- COMMAND`,
      exitCode: exitCodes.usage,
    });
  const address = addressOf(machine);
  await learnHostKeys(session, machine, address);
  return { machine, address, user: machine.hand.adminUser };
}

/** From the machine's registration, which its identity proves, or from its console, which only the platform can show. */
async function learnHostKeys(session: MachineSession, machine: Machine, address: string): Promise<void> {
  const registered = keysIn((machine.hostKeys ?? []).join('\n'));
  const keys =
    registered.length > 0
      ? registered
      : hostKeysOnConsole(await readConsole(session, machine.name).catch(() => ''));
  if (keys.length > 0) return rememberHostKeys(session.folder, address, keys);
  if (isKnown(session.folder, address)) return;
  throw new Failure({
    code: 'host-key-unknown',
    message: `The host keys of ${machine.name} are not known: it did not register any, and its console shows none.`,
    remedy: `Have it register again: berth machine regenerate-certs ${machine.name}. Or check the key yourself: ssh-keyscan ${address} >> ${session.folder.knownHosts}`,
    exitCode: exitCodes.failed,
  });
}

export interface SshOptions {
  /** Private key; else those of this computer that the machine knows. */
  readonly identity?: string | undefined;
}

/** Pure but for the keys that it finds: options that ssh, scp and sftp share. ssh_config(5) */
export function sshOptions(target: SshTarget, folder: DataFolder, options: SshOptions = {}): string[] {
  const keys =
    options.identity === undefined
      ? identitiesFor(target.machine.hand?.sshKeys ?? [], folder)
      : [options.identity];
  const settings = [
    `UserKnownHostsFile=${quotedPath(folder.knownHosts)}`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'CheckHostIP=no',
    'ConnectTimeout=15',
    'LogLevel=ERROR',
    ...(keys.length > 0 ? ['IdentitiesOnly=yes'] : []),
  ];
  return [...settings.flatMap((setting) => ['-o', setting]), ...keys.flatMap((key) => ['-i', key])];
}

/** ssh_config(5): arguments with spaces stand in double quotes, and several paths may follow one another. */
const quotedPath = (path: string): string => (/\s/.test(path) ? `"${path}"` : path);

/** Runs ssh or scp on the user's terminal. @returns its exit code @throws Failure `ssh-missing` */
export const runOnTerminal = (program: 'ssh' | 'scp', args: readonly string[]): Promise<number> =>
  new Promise((done, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.on('error', (error) =>
      reject(
        new Failure({
          code: 'ssh-missing',
          message: `${program} cannot be started: ${error.message}`,
          remedy: 'Install the OpenSSH client; on Debian: apt-get install openssh-client.',
          exitCode: exitCodes.failed,
        }),
      ),
    );
    // As a shell says it: 128 and the signal's number.
    child.on('exit', (code, signal) => done(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });

/** ssh ends with 255 for faults of its own: then the machine was not reached, or not let us in. ssh(1) */
export const notReached = (name: string): Failure =>
  new Failure({
    code: 'ssh-failed',
    message: `ssh ended with 255: ${name} was not reached or did not let you in, or the command itself ended so. What ssh says stands above.`,
    remedy: `If it timed out, your address may not be admitted: berth machine allow-from ${name}. If it was denied, say which key with -i FILE.`,
    exitCode: 255,
  });
