const SECOND = 1_000;

/** Milliseconds from accepting a machine until it must have reported: cloud-init installs an engine in that time. */
export const READY_WITHIN = 600 * SECOND;

/** Milliseconds before a call is repeated that ARM was too busy for. */
export const BUSY_PAUSE = 10 * SECOND;

/**
 * Milliseconds until the next poll: at least what ARM asked for (Retry-After), short at first and longer as the operation
 * goes on, since every poll stays in the orchestration's history.
 */
export const pollDelay = (afterMs: number, polls: number): number =>
  Math.max(afterMs, Math.min(2 * SECOND, 50 * 1.5 ** polls));

/** A moment later than another: orchestrators have no clock of their own. */
export const later = (moment: Date, milliseconds: number): Date => new Date(moment.getTime() + milliseconds);
