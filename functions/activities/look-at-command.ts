import { lookAtRun } from '../../shared/machines/run/look-at-run.ts';
import { lookAtCommand } from '../../shared/machines/run/run-activities.ts';
import { hasEnded } from '../../shared/model/machine-run.ts';
import { activity } from './activity.ts';

/** Seconds that a run may take beyond its time until nothing more is expected of it. */
const GRACE = 600;

export const look = activity(lookAtCommand, async ({ run: id, overdue }, made) => {
  const run = await lookAtRun(made, id, overdue);
  if (run === undefined) return { over: true, deadline: 0 };
  return { over: hasEnded(run), deadline: Date.parse(run.createdAt) + (run.timeout + GRACE) * 1000 };
});
