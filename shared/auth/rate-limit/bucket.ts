/** So many requests a second for long, and so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is left of a burst, as of a moment (milliseconds). */
export interface Bucket {
  readonly left: number;
  readonly at: number;
}

/** What is left now. A clock that goes back adds nothing and takes nothing. */
export function refilled(bucket: Bucket | undefined, { perSecond, burst }: Rate, now: number): Bucket {
  if (bucket === undefined) return { left: burst, at: now };
  const passed = Math.max(0, now - bucket.at);
  return { left: Math.min(burst, bucket.left + (passed * perSecond) / 1000), at: Math.max(bucket.at, now) };
}

/** What rounding may take from a whole one. */
const ROUNDING = 1e-6;

/** Milliseconds until the bucket gives one; 0: it gives one now. */
export const waitOf = ({ left }: Bucket, { perSecond }: Rate): number =>
  left >= 1 - ROUNDING ? 0 : Math.ceil(((1 - left) / perSecond) * 1000);

/** Takes one if there is one; a request that is refused takes nothing. */
export function take(
  bucket: Bucket | undefined,
  rate: Rate,
  now: number,
): { readonly bucket: Bucket; readonly wait: number } {
  const full = refilled(bucket, rate, now);
  const wait = waitOf(full, rate);
  return { bucket: wait > 0 ? full : { ...full, left: Math.max(0, full.left - 1) }, wait };
}
