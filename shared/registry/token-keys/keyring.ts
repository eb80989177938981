import type { TokenKey } from './token-key.ts';

/** A signing key, and since when there is one. */
export interface KeptKey {
  /** Of the record: it sorts and names, and says nothing. */
  readonly id: string;
  readonly jwk: TokenKey;
  readonly madeAt: Date;
}

/** How long an instance goes on with the keys that it read, milliseconds. */
export const FRESH_MS = 60_000;
/** A key is published for so long before it signs, milliseconds: by then every instance has read it. */
export const PUBLISHED_MS = 5 * FRESH_MS;
/** Seconds that a token lives at most. */
export const LONGEST_LIFE = 3600;
/** Age at which a key is followed by another, milliseconds. */
export const ROTATE_MS = 30 * 24 * 3600 * 1000;

const byAge = (keys: readonly KeptKey[]): readonly KeptKey[] =>
  keys.toSorted((a, b) => a.madeAt.getTime() - b.madeAt.getTime() || (a.id < b.id ? -1 : 1));

/** All keys, the one that signs first: the newest that is published for long enough, or the only choice, the oldest. */
export function signingFirst(keys: readonly KeptKey[], now: Date): readonly KeptKey[] {
  const sorted = byAge(keys);
  const signing =
    sorted.findLast(({ madeAt }) => now.getTime() - madeAt.getTime() >= PUBLISHED_MS) ?? sorted[0];
  return signing === undefined ? [] : [signing, ...sorted.filter((key) => key !== signing)];
}

/** Whether it is time for another key. */
export function isRotationDue(keys: readonly KeptKey[], now: Date): boolean {
  const newest = byAge(keys).at(-1);
  return newest === undefined || now.getTime() - newest.madeAt.getTime() >= ROTATE_MS;
}

/** Keys that no token can need any more: the next one has been signing everywhere for longer than a token lives. */
export function removable(keys: readonly KeptKey[], now: Date): readonly KeptKey[] {
  const sorted = byAge(keys);
  return sorted.filter((_, index) => {
    const next = sorted[index + 1];
    if (next === undefined) return false;
    const lastSigned = next.madeAt.getTime() + PUBLISHED_MS + FRESH_MS;
    return now.getTime() > lastSigned + LONGEST_LIFE * 1000;
  });
}
