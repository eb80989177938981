import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where a push keeps what it would otherwise have to hold: not in /tmp, which may lie in memory. Only the user reads it.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export async function cacheFolder(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const folder = join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'berth');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
