import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. */
const PAUSE = 1_000;

/**
 * The kernel takes a removed container's network and cgroup apart after the engine has answered, which slows the next
 * start: both sides begin this long after the last removal.
 */
export const settled = (): Promise<void> => sleep(PAUSE);
