import { randomBytes } from 'node:crypto';

/** Microseconds of Unix time, larger than every stamp before it in this process: what is done later sorts later. */
export type Stamp = number;

let last: Stamp = 0;

/** @param milliseconds of Unix time, at least */
export function nextStamp(milliseconds: number): Stamp {
  last = Math.max(milliseconds * 1000, last + 1);
  return last;
}

const DIGITS = 16;
const LAST_STAMP = 8_999_999_999_999_999;
const nonce = (): string => randomBytes(4).toString('hex');

/** Beginning of the keys of a stamp, which sorts by it. */
export const orderKey = (stamp: Stamp): string => String(Math.max(0, stamp)).padStart(DIGITS, '0');

/** Part of a row key: sorts by stamp; no other process makes the same. */
export const keyOf = (stamp: Stamp): string => `${orderKey(stamp)}!${nonce()}`;

/** Part of a row key: sorts by stamp, the newest first. */
export const newestFirstKeyOf = (stamp: Stamp): string => `${newestFirst(stamp)}!${nonce()}`;

/** Beginning of the newest-first keys of a stamp. */
export const newestFirst = (stamp: Stamp): string => String(LAST_STAMP - stamp).padStart(DIGITS, '0');
