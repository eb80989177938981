/** A container that ran this long did not end early. */
export const STABLE_MS = 60_000;
/** Longer pauses than this are left to the sweep: no orchestration stays only to wait. */
export const LONGEST_WAIT_MS = 60_000;
const LONGEST_PAUSE_MS = 300_000;

/** Pause before the next container of a slot whose last `failures` ones ended early: 0, 1, 2, 4, … 300 s. */
export const pauseAfter = (failures: number): number =>
  failures === 0 ? 0 : Math.min(1000 * 2 ** (failures - 1), LONGEST_PAUSE_MS);

/** Early ends in a row, now that one more container of the slot ended after running from `since` to `at`. */
export const failuresAfter = (failures: number, since: number | undefined, at: number): number =>
  since !== undefined && at - since >= STABLE_MS ? 0 : failures + 1;
