/** Newest version of the Engine API that this client was written for. */
export const NEWEST = '1.47';
/** https://docs.docker.com/reference/api/engine/version-history/ : what every call here needs. */
export const OLDEST = '1.24';

/** The version to speak with an engine whose newest is `theirs`; undefined if that is too old for us. */
export function agreedVersion(theirs: string): string | undefined {
  if (!/^\d+\.\d+$/.test(theirs) || isOlder(theirs, OLDEST)) return undefined;
  return isOlder(theirs, NEWEST) ? theirs : NEWEST;
}

function isOlder(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
