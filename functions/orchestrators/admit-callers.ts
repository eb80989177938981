import type { OrchestrationContext, Task } from 'durable-functions';
import {
  admitCallers,
  type CallersAdmitted,
  changeSecurityGroup,
} from '../../shared/machines/by-hand/admit-callers.ts';
import { busyPause, later } from '../../shared/machines/waiting.ts';
import type { MachineName } from '../../shared/model/names.ts';
import { callActivity, orchestration } from './call-activity.ts';
import { settle } from './settle.ts';

const DONE_WITHIN = 300_000;

/** Changes from where a machine made by hand is reached. */
export function* admit(
  context: OrchestrationContext,
  { machine }: { readonly machine: MachineName },
): Generator<Task, CallersAdmitted, unknown> {
  const deadline = context.df.currentUtcDateTime.getTime() + DONE_WITHIN;
  context.df.setCustomStatus('security-group');
  for (let tries = 1; ; tries += 1) {
    const asked = yield* callActivity(context, changeSecurityGroup, { machine });
    const refusal = yield* settle(context, asked, deadline);
    if (refusal === undefined) return { status: 'done' };
    const next = later(context.df.currentUtcDateTime, busyPause(tries));
    if (refusal.answer !== 'again' || next.getTime() > deadline)
      return { status: 'failed', code: refusal.code, reason: refusal.reason };
    yield context.df.createTimer(next);
  }
}

orchestration(admitCallers, admit);
