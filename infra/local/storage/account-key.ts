import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readIfThere, writePrivateFile } from '../platform-ca/private-file.ts';

/**
 * Azurite wants a shared key for its account and derives user-delegation keys from it. Nobody is given it; it is kept
 * so that a SAS stays valid when storage restarts. 64 bytes, base64.
 */
export async function ensureAccountKey(directory: string): Promise<string> {
  const file = join(directory, 'account.key');
  const found = (await readIfThere(file))?.trim();
  if (found !== undefined && found !== '') return found;
  const key = randomBytes(64).toString('base64');
  await writePrivateFile(file, `${key}\n`);
  return key;
}
