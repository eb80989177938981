import { setTimeout } from 'node:timers/promises';
import { Conflict } from '../state/tables.ts';

/** How often a change is tried while others change the same rows. */
const ATTEMPTS = 40;

/** Waits, milliseconds; tests bring their own. */
export type Pause = (milliseconds: number) => Promise<unknown>;

/**
 * Does `work`, and again while it meets a Conflict: it reads, decides and commits anew each time.
 * @throws the last Conflict
 */
export async function untilUncontended<T>(
  work: () => Promise<T>,
  pause: Pause = setTimeout as Pause,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === ATTEMPTS) throw error;
      await pause(Math.random() * 25 * Math.min(attempt, 20));
    }
}
