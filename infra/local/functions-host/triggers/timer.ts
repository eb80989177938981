import type { Invoke } from '../core/invoke.ts';
import type { HostLog } from '../log.ts';
import { withinTimeout } from './invocation-time.ts';
import type { Schedule } from './schedule.ts';
import type { TimerStatus, TimerStatuses } from './timer-status.ts';
import type { RunningTrigger } from './trigger.ts';

export interface TimerParts {
  readonly functionName: string;
  /** Of the trigger's binding. */
  readonly trigger: string;
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
  readonly statuses: TimerStatuses;
  readonly invoke: Invoke;
  readonly functionTimeout: number;
  readonly log: HostLog;
}

/** Milliseconds that a run stays claimed without renewal, and between renewals. */
const claimFor = 30_000;
const renewEvery = 10_000;
/** After an occurrence that another host runs, or a failure of storage. */
const pause = 5_000;
const longestTimeout = 2 ** 31 - 1;
const never = '0001-01-01T00:00:00.000Z';

/**
 * Runs a function when it is due, on one host at a time. The status moves on only after the run: what a killed host left
 * undone is past due at the next start.
 */
export function timerTrigger(parts: TimerParts): RunningTrigger {
  const { functionName, log, statuses } = parts;
  const stopped = new AbortController();
  let current: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const later = (milliseconds: number, onStart = false): void => {
    if (stopped.signal.aborted) return;
    timer = setTimeout(
      () => {
        current = step(onStart).catch((error: unknown) => {
          log.failure(`timer of ${functionName}`, error);
          later(pause);
        });
      },
      Math.min(milliseconds, longestTimeout),
    );
  };

  const step = async (onStart: boolean): Promise<void> => {
    const status = onStart ? await statusAtStart(parts) : await statuses.read(functionName);
    const now = Date.now();
    if (status === undefined) return later(0, true);
    if (status.next === '') return;
    const due = Date.parse(status.next);
    const overdue = now >= due;
    if (!overdue && !(onStart && parts.runOnStartup)) return later(due - now);
    const claim = await statuses.claim(functionName, status, claimFor);
    if (claim === undefined) return later(pause, onStart);
    const renewing = setInterval(() => {
      claim.renew(claimFor).catch((error: unknown) => log.failure(`timer of ${functionName}`, error));
    }, renewEvery);
    try {
      await run(parts, status, onStart && overdue);
    } finally {
      clearInterval(renewing);
    }
    const next = nextStatus(parts.schedule, due, now);
    await claim.release(next);
    later(next.next === '' ? longestTimeout : Math.max(0, Date.parse(next.next) - Date.now()));
  };

  later(0, true);
  return {
    async stop() {
      stopped.abort();
      clearTimeout(timer);
      await current;
    },
  };
}

/** Counted from the due time, so that an interval does not drift; what was missed meanwhile is left out. */
function nextStatus(schedule: Schedule, due: number, ran: number): TimerStatus {
  const now = new Date();
  const next = schedule.next(new Date(Math.min(due, ran)));
  return {
    last: new Date(ran).toISOString(),
    next: (next !== undefined && next <= now ? schedule.next(now) : next)?.toISOString() ?? '',
    updated: now.toISOString(),
  };
}

/** The stored status, with the next time as today's schedule has it; a timer that is new is noted at once. */
async function statusAtStart({ functionName, schedule, statuses }: TimerParts): Promise<TimerStatus> {
  const stored = await statuses.read(functionName);
  if (stored !== undefined) {
    const from = new Date(stored.last === never ? stored.updated : stored.last);
    return { ...stored, next: schedule.next(from)?.toISOString() ?? '' };
  }
  const now = new Date();
  const status = { last: never, next: schedule.next(now)?.toISOString() ?? '', updated: now.toISOString() };
  await (await statuses.claim(functionName, status, claimFor))?.release(status);
  return status;
}

async function run(parts: TimerParts, status: TimerStatus, isPastDue: boolean): Promise<void> {
  const { functionName, trigger, invoke, functionTimeout, log } = parts;
  const json = JSON.stringify({
    Schedule: { AdjustForDST: true },
    ScheduleStatus: { Last: status.last, Next: status.next, LastUpdated: status.updated },
    IsPastDue: isPastDue,
  });
  try {
    const inputs = [{ name: trigger, data: { json } }];
    await withinTimeout(functionName, functionTimeout, invoke(functionName, { inputs }));
  } catch (error) {
    log.failure(functionName, error);
  }
}
