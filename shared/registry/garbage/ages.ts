const HOUR = 3600 * 1000;

/** What was written, touched or linked this long before a run began is not relied on by any request. Milliseconds. */
export const UNUSED_MS = 24 * HOUR;
/** From when data is marked until it is deleted: longer than any URL lives that reads it. Milliseconds. */
export const CONDEMNED_MS = 3 * HOUR;

/** Times before which something is old enough, for a run that began at `startedAt`. */
export const before = (startedAt: Date, age: number): number => startedAt.getTime() - age;
