import type { PoolSpec } from '../model/pool.ts';
import { latestDue } from './due.ts';

export interface PoolLimits {
  readonly minimum: number;
  readonly maximum: number;
  /** How many windows of its schedule are open. */
  readonly windows: number;
}

/**
 * Minimum and maximum of a pool at a moment: those of its open windows, the last in the list winning, otherwise its own.
 * A minimum above the maximum is cut down to it. Pure.
 */
export function limitsAt(
  { minimum, maximum, schedule }: Pick<PoolSpec, 'minimum' | 'maximum' | 'schedule'>,
  now: Date,
): PoolLimits {
  const open = schedule.filter(
    ({ cron, timeZone, for: seconds }) =>
      latestDue({ cron, timeZone }, new Date(now.getTime() - seconds * 1000), now) !== undefined,
  );
  const most = open.reduce((found, window) => window.maximum ?? found, maximum);
  const least = open.reduce((found, window) => window.minimum ?? found, minimum);
  return { minimum: Math.min(least, most), maximum: most, windows: open.length };
}
