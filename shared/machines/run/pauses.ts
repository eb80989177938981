const LEAST = 1_000;
const LONGEST = 60_000;

/**
 * Milliseconds until a run that has gone on for so long is looked at again: a twentieth of that, since every look stays in the
 * history of its orchestration. Who watches a run looks by itself.
 */
export const lookPause = (elapsed: number): number => Math.min(Math.max(LEAST, elapsed / 20), LONGEST);

/** Milliseconds until it is asked again whether ARM has removed something. @param tries from 0 */
export const removalPause = (tries: number): number => Math.min(LEAST * 2 ** tries, LONGEST);
