import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../../cli/client.ts';
import { type DataFolder, dataFolder } from '../../../../cli/machine/data-folder.ts';
import { isKnown, rememberHostKeys } from '../../../../cli/machine/known-hosts.ts';
import type { MachineSession } from '../../../../cli/machine/machine-session.ts';
import { sshOptions, sshTarget } from '../../../../cli/machine/secure-shell.ts';
import { readPublicKey } from '../../../../cli/machine/ssh-identity.ts';
import { makeOutput } from '../../../../cli/output.ts';
import type { Machine } from '../../../../shared/model/machine.ts';
import { machineOf } from './machine-of.ts';

const hostKey = `ssh-ed25519 ${'AAAAC3NzaC1lZDI1NTE5AAAAI'.padEnd(68, 'B')}`;
const url = new URL('https://berth.example');

describe('ssh to a machine', () => {
  let root: string;
  let folder: DataFolder;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth ssh-'));
    folder = dataFolder({ XDG_DATA_HOME: root }, url);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** @param console what the machine's console says; undefined if nothing answers */
  const sessionOf = (machine: Machine, console?: string): MachineSession => {
    const client: Client = {
      connection: { url, key: '', ca: undefined, registries: [], origin: 'test' },
      call: () => Promise.reject(new Error('not asked')),
      open: (async () => {
        if (console === undefined) throw new Error('no console');
        return [Buffer.from(console)];
      }) as unknown as Client['open'],
      close: () => {},
    };
    return {
      ...{ client, folder, docker: root, variables: {}, environment: 'dev' },
      output: makeOutput(false, (_colour, text) => text),
      interrupted: new AbortController().signal,
      find: async () => machine,
    };
  };

  it('believes the host keys that the machine registered, and no older ones', async () => {
    rememberHostKeys(folder, '10.0.0.4', [`${hostKey.slice(0, -1)}Z`]);
    const machine = machineOf({ name: 'x', hostKeys: [hostKey, 'nonsense'] });
    const target = await sshTarget(sessionOf(machine), 'x');
    expect(target).toMatchObject({ address: '10.0.0.4', user: 'berth' });
    expect(sshOptions(target, folder)).toEqual(
      expect.arrayContaining(['StrictHostKeyChecking=yes', `UserKnownHostsFile="${folder.knownHosts}"`]),
    );
    expect(isKnown(folder, '10.0.0.4')).toBe(true);
  });

  it('believes those on its console, and nothing where there are none', async () => {
    const machine = machineOf({ name: 'x' });
    await expect(sshTarget(sessionOf(machine), 'x')).rejects.toMatchObject({ code: 'host-key-unknown' });
    await expect(sshTarget(sessionOf(machine, 'login:'), 'x')).rejects.toMatchObject({
      code: 'host-key-unknown',
    });
    const console = `-----BEGIN SSH HOST KEY KEYS-----\n${hostKey} root@x\n-----END SSH HOST KEY KEYS-----\n`;
    await sshTarget(sessionOf(machine, console), 'x');
    expect(isKnown(folder, '10.0.0.4')).toBe(true);
  });

  it('does not try where nobody can come in', async () => {
    const ofPool = machineOf({ name: 'general-bcdfgh', pool: 'general', hand: undefined });
    await expect(sshTarget(sessionOf(ofPool), ofPool.name)).rejects.toMatchObject({ code: 'ssh-not-here' });
    const stopped = machineOf({ name: 'x', status: { state: 'stopped', since: '2026-11-25T08:00:00Z' } });
    await expect(sshTarget(sessionOf(stopped), 'x')).rejects.toMatchObject({ code: 'machine-not-ready' });
  });

  it('uses the private key of what was given with --ssh-key', async () => {
    const key = join(root, 'work');
    writeFileSync(key, '-----BEGIN OPENSSH PRIVATE KEY-----\n');
    expect(() => readPublicKey(key, folder)).toThrow(/no .*work\.pub beside it/);
    writeFileSync(`${key}.pub`, `${hostKey} me@here\n`);
    expect(readPublicKey(key, folder)).toBe(`${hostKey} me@here`);
    expect(() => readPublicKey(join(root, 'none.pub'), folder)).toThrow(/There is no file/);
    const hand = {
      allowFrom: [],
      openPorts: [],
      publicAddress: true,
      adminUser: 'ops',
      sshKeys: [hostKey],
      by: 'me',
    };
    const target = await sshTarget(sessionOf(machineOf({ name: 'x', hand, hostKeys: [hostKey] })), 'x');
    expect(sshOptions(target, folder)).toEqual(expect.arrayContaining(['IdentitiesOnly=yes', '-i', key]));
    expect(sshOptions(target, folder, { identity: 'other' })).not.toContain(key);
  });
});
