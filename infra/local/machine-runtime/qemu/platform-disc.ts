import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command.ts';
import { machineFolder } from '../machine-folder.ts';
import { PLATFORM_LABEL, SEED_LABEL } from './boot-script.ts';

export interface GuestNetwork {
  readonly address: string;
  /** Of the machines' subnet. */
  readonly bits: number;
  readonly gateway: string;
  readonly resolvers: readonly string[];
}

/** What the boot script needs beyond what every machine is given. */
export function writeGuestNetwork(directory: string, name: string, network: GuestNetwork): void {
  const { platform } = machineFolder(directory, name);
  const { address, bits, gateway, resolvers } = network;
  writeFileSync(join(platform, 'network.env'), `ADDRESS=${address}\nBITS=${bits}\nGATEWAY=${gateway}\n`);
  writeFileSync(join(platform, 'resolv.conf'), resolvers.map((server) => `nameserver ${server}\n`).join(''));
}

/** Makes the two discs anew of what the machine's folder holds: before each start. */
export async function makeDiscs(directory: string, name: string): Promise<readonly string[]> {
  const { root, seed, platform } = machineFolder(directory, name);
  const discs = [
    { file: join(root, 'seed.iso'), label: SEED_LABEL, from: seed },
    { file: join(root, 'platform.iso'), label: PLATFORM_LABEL, from: platform },
  ];
  for (const { file, label, from } of discs)
    await run('genisoimage', ['-quiet', '-volid', label, '-joliet', '-rock', '-output', file, from]);
  return discs.map(({ file }) => file);
}
