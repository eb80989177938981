import type { OrchestrationContext, Task } from 'durable-functions';
import {
  askForPower,
  type ChangePower,
  changePower,
  notePower,
  type PowerChanged,
} from '../../shared/machines/by-hand/power-change.ts';
import { READY_EVENT } from '../../shared/machines/machine-activities.ts';
import { busyPause, later } from '../../shared/machines/waiting.ts';
import type { MachineName } from '../../shared/model/names.ts';
import { callActivity, orchestration } from './call-activity.ts';
import { settle } from './settle.ts';

/** Milliseconds until ARM must have done it, and from then until the machine must have reported. */
const DONE_WITHIN = 900_000;
const REPORTED_WITHIN = 600_000;

/** Starts, stops (deallocates) or restarts a machine that its owner asked it of. */
export function* change(
  context: OrchestrationContext,
  { machine, action }: ChangePower,
): Generator<Task, PowerChanged, unknown> {
  const owner = context.df.instanceId;
  const deadline = context.df.currentUtcDateTime.getTime() + DONE_WITHIN;
  context.df.setCustomStatus('power');
  for (let tries = 1; ; tries += 1) {
    const asked = yield* callActivity(context, askForPower, { machine, action, owner });
    const refusal = yield* settle(context, asked, deadline);
    if (refusal === undefined) break;
    const next = later(context.df.currentUtcDateTime, busyPause(tries));
    if (refusal.answer !== 'again' || next.getTime() > deadline) {
      const { code, reason } = refusal;
      // Whether it runs is not known: it is asked, and its reports tell.
      yield* callActivity(context, notePower, { machine, owner, state: 'silent' });
      return { status: 'failed', code, reason };
    }
    yield context.df.createTimer(next);
  }
  if (action !== 'stop') return yield* awaitReport(context, machine, owner);
  const noted = yield* callActivity(context, notePower, { machine, owner, state: 'stopped' });
  return noted.outcome === 'done'
    ? { status: 'done' }
    : { status: 'failed', code: noted.code, reason: noted.message };
}

/** That its VM runs does not mean that its engine does. */
function* awaitReport(
  context: OrchestrationContext,
  machine: MachineName,
  owner: string,
): Generator<Task, PowerChanged, unknown> {
  context.df.setCustomStatus('report');
  const reported = context.df.waitForExternalEvent(READY_EVENT);
  const noted = yield* callActivity(context, notePower, { machine, owner, state: 'starting' });
  if (noted.outcome === 'done' && noted.value?.status.state === 'ready') return { status: 'done' };
  const timer = context.df.createTimer(later(context.df.currentUtcDateTime, REPORTED_WITHIN));
  if ((yield context.df.Task.any([reported, timer])) === reported) {
    timer.cancel();
    return { status: 'done' };
  }
  const silent = yield* callActivity(context, notePower, { machine, owner, state: 'silent' });
  if (silent.outcome === 'done' && silent.value?.status.state === 'ready') return { status: 'done' };
  const reason = `its VM runs, but ${machine} did not report within ${REPORTED_WITHIN / 1000} s`;
  return { status: 'failed', code: 'machine-not-registered', reason };
}

orchestration(changePower, change);
