/** Seconds after the first, second, … failed attempt until the next: nine attempts in about six hours. */
const PAUSES = [5, 30, 120, 600, 1800, 3600, 7200, 7200] as const;
/** An event that is older than this is given up at its next failure: one receiver's day off does not last a week. */
const OLDEST_MS = 24 * 3600 * 1000;
/** The longest that a receiver may ask for with Retry-After, seconds. */
const LONGEST_PAUSE = 3600;

export type AfterFailure =
  | { readonly next: 'retry'; readonly waitSeconds: number }
  | { readonly next: 'give-up'; readonly reason: string };

/**
 * What becomes of an event whose delivery failed.
 * @param failures of this event, this one included
 * @param since when it was put into the queue
 * @param failure `retryAfter` in seconds, as the receiver said; `final`: trying again cannot help
 */
export function afterFailure(
  failures: number,
  since: Date,
  now: Date,
  failure: { readonly retryAfter?: number | undefined; readonly final?: boolean | undefined },
): AfterFailure {
  if (failure.final === true) return { next: 'give-up', reason: 'the receiver refuses it for good' };
  const pause = PAUSES[failures - 1];
  if (pause === undefined) return { next: 'give-up', reason: `${failures} attempts failed` };
  const hours = Math.floor((now.getTime() - since.getTime()) / 3_600_000);
  if (now.getTime() - since.getTime() > OLDEST_MS)
    return { next: 'give-up', reason: `it could not be delivered for ${hours} hours` };
  return { next: 'retry', waitSeconds: Math.max(pause, Math.min(failure.retryAfter ?? 0, LONGEST_PAUSE)) };
}
