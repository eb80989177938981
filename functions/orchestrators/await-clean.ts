import type { OrchestrationContext, Task } from 'durable-functions';
import { lookAtBuilder } from '../../shared/machines/golden/golden-activities.ts';
import type { LaunchFailure } from '../../shared/machines/launch-failure.ts';
import type { Provisioned } from '../../shared/machines/provisioning.ts';
import { later } from '../../shared/machines/waiting.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { callActivity } from './call-activity.ts';

/** Milliseconds between looks at a machine that installs packages; and how often one that is off may be silent. */
const EVERY = 5_000;
const LOOKS_AT_SILENCE = 24;

/**
 * Waits until a machine that becomes an image has cleaned itself and powered off. Azure shows consoles late: one that
 * is off has two minutes to have said that it is clean.
 * @param seconds how long all may take
 */
export function* awaitClean(
  context: OrchestrationContext,
  record: Machine,
  seconds: number,
): Generator<Task, Provisioned | LaunchFailure, unknown> {
  const machine = record.name;
  const deadline = context.df.currentUtcDateTime.getTime() + seconds * 1000;
  for (let silent = 0; silent < LOOKS_AT_SILENCE; ) {
    const seen = yield* callActivity(context, lookAtBuilder, { machine });
    if (seen.outcome === 'done') {
      const builder = seen.value;
      if (builder.state === 'clean') return { status: 'ready', machine: record };
      if (builder.state === 'unfit')
        return { code: 'builder-unfit', reason: `${machine} says: ${builder.reason}`, remedy: LOOK };
      if (builder.state === 'off') silent += 1;
    } else if (seen.code === 'builder-gone')
      return { code: seen.code, reason: seen.message, remedy: seen.remedy };
    const next = later(context.df.currentUtcDateTime, EVERY);
    if (next.getTime() > deadline)
      return {
        code: 'builder-slow',
        reason: `${machine} was not clean and off within ${seconds} s`,
        remedy: LOOK,
      };
    yield context.df.createTimer(next);
  }
  return { code: 'builder-stopped', reason: `${machine} lost its power before it was clean`, remedy: LOOK };
}

const LOOK = 'Look at the end of its console; the image is built again after a while.';
