import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AptSettings } from './apt-settings.ts';
import { bootScript } from './boot-script.ts';
import { inboundHook, inboundRules, type PlatformAddresses, platformRules } from './inbound-rules.ts';
import type { InboundRule, MachineRequest } from './machine-runtime.ts';

/** What the machines of a data centre have in common. */
export interface MachineSurroundings {
  /** The machines' subnet. */
  readonly network: string;
  readonly platform: PlatformAddresses;
  /** The platform CA's certificate, PEM. */
  readonly authority: string;
  readonly apt: AptSettings;
}

/** Whether a machine should run: decides what is started again after the engine or the computer was down. */
export const Power = z.enum(['on', 'off']);
export type Power = z.infer<typeof Power>;

/** A machine's folder on this computer: `seed/` for cloud-init, `platform/` for its boot, `power`. */
export const machineFolder = (directory: string, name: string) => {
  const root = join(directory, 'machines', name);
  return { root, seed: join(root, 'seed'), platform: join(root, 'platform'), power: join(root, 'power') };
};

/**
 * Writes what the machine is given.
 * https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
 */
export function writeMachineFolder(
  directory: string,
  request: MachineRequest,
  surroundings: MachineSurroundings,
): void {
  const folder = machineFolder(directory, request.name);
  for (const path of [folder.seed, folder.platform]) mkdirSync(path, { recursive: true });
  const customData = Buffer.from(request.customData, 'base64');
  writeFileSync(join(folder.seed, 'user-data'), customData.length === 0 ? '#cloud-config\n{}\n' : customData);
  writeFileSync(join(folder.seed, 'meta-data'), metaData(request));
  writeFileSync(join(folder.seed, 'vendor-data'), vendorData(request));
  writeFileSync(join(folder.platform, 'boot'), bootScript, { mode: 0o755 });
  writeFileSync(join(folder.platform, 'hook.rules'), inboundHook());
  writeFileSync(join(folder.platform, 'platform.rules'), platformRules(surroundings.platform));
  writeFileSync(join(folder.platform, 'authority.crt'), surroundings.authority);
  writeFileSync(join(folder.platform, 'sources.list'), surroundings.apt.sources);
  writeFileSync(
    join(folder.platform, 'apt.conf'),
    surroundings.apt.options.map((line) => `${line}\n`).join(''),
  );
  writeInboundRules(directory, request.name, request.inboundRules, surroundings.network);
  writePower(directory, request.name, 'on');
}

/** Answers whether they are others than before. */
export function writeInboundRules(
  directory: string,
  name: string,
  rules: readonly InboundRule[],
  network: string,
): boolean {
  const file = join(machineFolder(directory, name).platform, 'inbound.rules');
  const text = inboundRules(rules, network);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  writeFileSync(file, text);
  return true;
}

export function writePower(directory: string, name: string, power: Power): void {
  const { root, power: file } = machineFolder(directory, name);
  if (!existsSync(root)) return;
  writeFileSync(`${file}.new`, power);
  renameSync(`${file}.new`, file);
}

export function readPower(directory: string, name: string): Power | undefined {
  const { power } = machineFolder(directory, name);
  return existsSync(power) ? Power.parse(readFileSync(power, 'utf8')) : undefined;
}

export const removeMachineFolder = (directory: string, name: string): void =>
  rmSync(machineFolder(directory, name).root, { recursive: true, force: true });

export const machineFolders = (directory: string): readonly string[] =>
  existsSync(join(directory, 'machines')) ? readdirSync(join(directory, 'machines')) : [];

/** A new instance id makes cloud-init run again on a disk that was captured from another machine. */
const metaData = ({ name, address }: MachineRequest): string =>
  `instance-id: ${name}-${address}\nlocal-hostname: ${name}\n`;

/** osProfile.adminUsername and its keys, which on Azure come the same way: from the platform, not from customData. */
const vendorData = ({ adminUser, sshKeys }: MachineRequest): string =>
  `#cloud-config\n${JSON.stringify({
    users: [
      {
        name: adminUser,
        shell: '/bin/bash',
        lock_passwd: true,
        ssh_authorized_keys: sshKeys,
        groups: ['adm', 'sudo'],
        sudo: 'ALL=(ALL) NOPASSWD:ALL',
      },
    ],
  })}\n`;
