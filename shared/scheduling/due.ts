import { Cron } from 'croner';
import type { ScheduleSpec } from '../model/application.ts';
import { Terminal } from '../model/errors.ts';

/**
 * The latest time after `after` and not after `now` at which a schedule was due; undefined if there was none. Earlier
 * ones that were missed are skipped: after a pause one run makes good for all.
 * @throws Terminal `schedule-invalid`
 */
export function latestDue(schedule: ScheduleSpec, after: Date, now: Date): Date | undefined {
  const cron = parse(schedule);
  // The library looks for times before its reference, and knows whole seconds only.
  const [latest] = cron.previousRuns(1, new Date(now.getTime() + 1000));
  return latest !== undefined && latest > after && latest <= now ? latest : undefined;
}

function parse({ cron, timeZone }: ScheduleSpec): Cron {
  try {
    return new Cron(cron, { timezone: timeZone, paused: true });
  } catch (error) {
    throw new Terminal({
      code: 'schedule-invalid',
      message: `"${cron}" in zone "${timeZone}" is not a schedule: ${error instanceof Error ? error.message : String(error)}`,
      remedy:
        'Write five fields, or six with seconds first, and an IANA zone: cron "30 6 * * 1-5", timeZone "Europe/Paris".',
      cause: error,
    });
  }
}
