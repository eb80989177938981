const SECOND = 1_000;

/** Milliseconds for deleting what makes up a machine: ARM holds a NIC for 180 s after a VM that failed. */
export const REMOVED_WITHIN = 900 * SECOND;

/** Milliseconds before a call is repeated that ARM was too busy for. */
export const BUSY_PAUSE = 10 * SECOND;

/** Milliseconds before the next try of what ARM was too busy for, each longer than the one before. @param tries from 1 */
export const busyPause = (tries: number): number => Math.min(60 * SECOND, BUSY_PAUSE * 2 ** (tries - 1));

/**
 * Milliseconds until the next poll: at least what ARM asked for (Retry-After), short at first and longer as the operation
 * goes on, since every poll stays in the orchestration's history.
 */
export const pollDelay = (afterMs: number, polls: number): number =>
  Math.max(afterMs, Math.min(2 * SECOND, 50 * 1.5 ** polls));

/** A moment later than another: orchestrators have no clock of their own. */
export const later = (moment: Date, milliseconds: number): Date => new Date(moment.getTime() + milliseconds);
