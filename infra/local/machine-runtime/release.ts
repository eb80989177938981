import { readFileSync } from 'node:fs';

/** Debian releases that machines boot: what Azure's offers of Debian name by number. */
const releases = { 'debian-12': 'bookworm', 'debian-13': 'trixie' } as const;
/** What any other image of the marketplace stands for here. */
export const newestRelease = 'trixie';

/**
 * Code name of the release that a marketplace reference boots.
 * @param reference `publisher:offer:sku:version`
 */
export function releaseOf(reference: string): string {
  const [, offer] = reference.toLowerCase().split(':');
  return Object.entries(releases).find(([name]) => name === offer)?.[1] ?? newestRelease;
}

/**
 * Makes what machines of a release boot. Where this computer's mirror or its keys do not have that release, machines boot
 * its own, and the report says so.
 */
export async function makeForRelease<T>(
  release: string,
  { report, signal }: { readonly report: (line: string) => void; readonly signal?: AbortSignal },
  make: (release: string) => Promise<T>,
  host = hostRelease(),
): Promise<T> {
  if (host === undefined || host === release) return make(release);
  try {
    return await make(release);
  } catch (error) {
    if (signal?.aborted) throw error;
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    report(
      `machines boot Debian ${host}, as this computer does, since ${release} cannot be made of its packages: ${reason}`,
    );
    return await make(host);
  }
}

/** Code name of this computer's Debian; undefined on other systems. */
export function hostRelease(file = '/etc/os-release'): string | undefined {
  try {
    return debianRelease(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Pure: the code name in an os-release of Debian itself (not of its derivatives). os-release(5) */
export function debianRelease(text: string): string | undefined {
  const values = new Map(
    [...text.matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm)].map((match) => [match[1], match[2]]),
  );
  return values.get('ID') === 'debian' ? values.get('VERSION_CODENAME') : undefined;
}
