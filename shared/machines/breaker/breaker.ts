import { z } from 'zod';

/** How the attempts of a pool to get machines went of late. No row: nothing failed since the last success. */
export const Breaker = z.object({
  /** `closed`: machines are asked for, after the rest that follows each failure; `open`: none are. */
  state: z.enum(['closed', 'open']),
  since: z.iso.datetime(),
  /** Failures one after another. */
  failures: z.number().int(),
  /** How often it opened without a success between. */
  opened: z.number().int(),
  /** No machine is asked for before; then, where it was open, one alone. */
  until: z.iso.datetime(),
  /** Of the last failure. */
  failedAt: z.iso.datetime(),
  machine: z.string(),
  code: z.string(),
  reason: z.string(),
  /** Machines whose failure is counted, so that none counts twice. */
  counted: z.array(z.string()),
});
export type Breaker = z.infer<typeof Breaker>;

const MINUTE = 60_000;
/** Rest after so many failures. */
const REST = [0, MINUTE, 5 * MINUTE, 15 * MINUTE];
/** Failures one after another that open it. */
const MOST_FAILURES = 5;
const OPEN = 60 * MINUTE;
const OPEN_LONGEST = 24 * 60 * MINUTE;
/** A failure so long ago says nothing of the next attempt. */
const FORGOTTEN = 24 * 60 * MINUTE;
/** Of its reason: the console's end can be long. */
const MOST_REASON = 2_000;
const MOST_COUNTED = 50;

/** The row after a machine failed; undefined if that is counted already. Pure. */
export function afterFailure(
  before: Breaker | undefined,
  failure: { readonly machine: string; readonly code: string; readonly reason: string },
  now: Date,
): Breaker | undefined {
  const { machine, code, reason } = failure;
  if (before?.counted.includes(machine) === true) return undefined;
  const known =
    before === undefined || now.getTime() - Date.parse(before.failedAt) > FORGOTTEN ? undefined : before;
  const failures = (known?.failures ?? 0) + 1;
  const opens = failures >= MOST_FAILURES;
  // Machines that were under way when it opened fail too, and make it no longer.
  const stays = known?.state === 'open' && now.getTime() < Date.parse(known.until);
  const opened = (known?.opened ?? 0) + (opens && !stays ? 1 : 0);
  const rest = opens
    ? Math.min(OPEN_LONGEST, OPEN * 2 ** (opened - 1))
    : (REST[Math.min(failures, REST.length - 1)] ?? 0);
  return {
    state: opens ? 'open' : 'closed',
    since: known !== undefined && (known.state === 'open') === opens ? known.since : now.toISOString(),
    failures,
    opened,
    until: stays ? known.until : new Date(now.getTime() + rest).toISOString(),
    failedAt: now.toISOString(),
    machine,
    code,
    reason: reason.slice(0, MOST_REASON),
    counted: [...(before?.counted ?? []), machine].slice(-MOST_COUNTED),
  };
}

/** Whether a machine that became ready then ends it. */
export const isEndedBy = (breaker: Breaker, readySince: string): boolean =>
  Date.parse(readySince) > Date.parse(breaker.failedAt);

/** `half-open`: one machine may be tried. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export const stateAt = (breaker: Breaker | undefined, now: Date): BreakerState =>
  breaker?.state !== 'open' ? 'closed' : now.getTime() < Date.parse(breaker.until) ? 'open' : 'half-open';

/** Why a pool may not ask for a machine now; undefined if it may. @param coming its machines that are on their way */
export function restingReason(breaker: Breaker | undefined, coming: number, now: Date): string | undefined {
  if (breaker === undefined) return undefined;
  const { failures, until, machine, code, reason } = breaker;
  const line = reason.split('\n')[0] ?? '';
  const last = `the last failure, of ${machine}: ${code}: ${line}`;
  if (now.getTime() < Date.parse(until))
    return breaker.state === 'open'
      ? `its breaker is open until ${until}, after ${failures} failures; ${last}`
      : `it rests until ${until}, after ${failures} failure${failures === 1 ? '' : 's'}; ${last}`;
  return breaker.state === 'open' && coming > 0
    ? `its breaker is half-open: one machine is tried at a time; ${last}`
    : undefined;
}
