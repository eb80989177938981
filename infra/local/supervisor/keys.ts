import { createHash, randomBytes } from 'node:crypto';
import type { DataCentre } from '../data-centre.ts';
import { readIfThere, writePrivateFile } from '../platform-ca/private-file.ts';
import { filesOf } from './files.ts';

export interface Keys {
  /** 32 bytes in base64: BERTH_MASTER_KEY. */
  readonly master: string;
  /** The administrator's API key, which only the client file holds. */
  readonly admin: string;
  /** Its hash, which the app is given. */
  readonly adminHash: string;
}

/** Makes the keys at the first start and writes the client file (mode 0600) that the CLI finds. */
export async function ensureKeys(dataCentre: DataCentre, certificateFile: string): Promise<Keys> {
  const files = filesOf(dataCentre.directory);
  let master = await readIfThere(files.masterKey);
  if (master === undefined) {
    master = randomBytes(32).toString('base64');
    await writePrivateFile(files.masterKey, master);
  }
  const earlier = await readIfThere(files.client);
  const admin =
    earlier === undefined
      ? `berth_admin_${randomBytes(32).toString('base64url')}`
      : String((JSON.parse(earlier) as { key: string }).key);
  const url = `https://${dataCentre.gateway}:${dataCentre.ports.app}`;
  /** Docker here reaches the registry so too, and needs no certificate for it. */
  const registries = [`127.0.0.1:${dataCentre.ports.app}`];
  await writePrivateFile(
    files.client,
    `${JSON.stringify({ url, key: admin, ca: certificateFile, registries }, null, 2)}\n`,
  );
  return { master, admin, adminHash: createHash('sha256').update(admin).digest('hex') };
}
