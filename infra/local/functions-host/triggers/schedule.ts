import { Cron } from 'croner';
import { Terminal } from '../../../../shared/model/errors.ts';
import { timeSpan } from '../time-span.ts';

/** When a timer is due. */
export interface Schedule {
  /** The first time after `from`; undefined if there is none. */
  next(from: Date): Date | undefined;
}

/**
 * Reads a timer's schedule: NCRONTAB with six fields, seconds first (with five, at second 0), or a TimeSpan that is counted
 * from the last time on.
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
 * @throws Terminal if it is neither
 */
export function schedule(functionName: string, text: string, timeZone: string): Schedule {
  const every = timeSpan(text);
  if (every !== undefined && every > 0) return { next: (from) => new Date(from.getTime() + every) };
  const fields = text.trim().split(/\s+/).length;
  try {
    if (fields !== 5 && fields !== 6) throw new Error(`it has ${fields} fields`);
    const cron = new Cron(text, {
      timezone: timeZone,
      paused: true,
      mode: fields === 6 ? '6-part' : '5-part',
    });
    return { next: (from) => cron.nextRun(from) ?? undefined };
  } catch (cause) {
    throw new Terminal({
      code: 'schedule-invalid',
      message: `Function '${functionName}': '${text}' is no schedule: ${cause instanceof Error ? cause.message : String(cause)}.`,
      remedy:
        'Use six fields with seconds first, such as "0 */5 * * * *", or a time span such as "00:05:00".',
      cause,
    });
  }
}
