import { type Bucket, type Rate, refilled, take, waitOf } from './bucket.ts';

/** One bucket for each of whoever is named. */
export interface Limiter {
  /** Takes one for this caller. @returns milliseconds to wait; 0: go on */
  take(who: string): number;
  /** The same, and takes nothing. */
  look(who: string): number;
  /** How many are remembered. */
  readonly size: number;
}

/**
 * Remembers the callers that came last, and forgets before them those that have not come for longest: of these a full bucket is
 * likely, and to have none is to have a full one.
 * @param most callers that are remembered; about 100 bytes each
 */
export function limiter(rate: Rate, now: () => Date, most = 20_000): Limiter {
  /** In the order in which they came last. */
  const buckets = new Map<string, Bucket>();
  return {
    take(who) {
      const { bucket, wait } = take(buckets.get(who), rate, now().getTime());
      buckets.delete(who);
      buckets.set(who, bucket);
      if (buckets.size > most) {
        const [longest] = buckets.keys();
        if (longest !== undefined) buckets.delete(longest);
      }
      return wait;
    },
    look: (who) => waitOf(refilled(buckets.get(who), rate, now().getTime()), rate),
    get size() {
      return buckets.size;
    },
  };
}
