import type { OrchestrationContext, Task } from 'durable-functions';
import {
  type Deliver,
  type DeliverOutcome,
  deliverEvents,
  deliverWaiting,
  RETRY_NOW,
} from '../../shared/events/deliver-events.ts';
import { later } from '../../shared/machines/waiting.ts';
import { callActivity, orchestration } from './call-activity.ts';

/** Turns after which the history is cut. */
const MOST_TURNS = 40;
/** How long an empty queue is waited for once more: what comes in bursts is delivered by one orchestration. */
const LINGER_MS = 1_000;

type Ended = { readonly state: 'delivered' | 'continued' | 'refused'; readonly reason?: string };

/** Delivers one queue until it is empty; what comes after that starts the orchestration anew. */
export function* deliver(context: OrchestrationContext, input: Deliver): Generator<Task, Ended, unknown> {
  let lingered = false;
  for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
    const done = yield* callActivity(context, deliverWaiting, input);
    // The sweep finds what is left.
    if (done.outcome === 'refused') return { state: 'refused', reason: done.message };
    const { value } = done;
    if (value.outcome === 'empty' && lingered) return { state: 'delivered' };
    lingered = value.outcome === 'empty';
    if (lingered) yield context.df.createTimer(later(context.df.currentUtcDateTime, LINGER_MS));
    if (value.outcome === 'failed') yield* pause(context, value);
  }
  context.df.continueAsNew(input);
  return { state: 'continued' };
}

/** Until the next attempt is due, or somebody asks for it. */
function* pause(
  context: OrchestrationContext,
  { waitSeconds, reason }: Extract<DeliverOutcome, { outcome: 'failed' }>,
): Generator<Task, void, unknown> {
  const due = later(context.df.currentUtcDateTime, waitSeconds * 1000);
  context.df.setCustomStatus({ doing: [`tries again at ${due.toISOString()}: ${reason}`] });
  const timer = context.df.createTimer(due);
  const asked = context.df.waitForExternalEvent(RETRY_NOW);
  const first = yield context.df.Task.any([timer, asked]);
  if (first === asked && !timer.isCompleted) timer.cancel();
  context.df.setCustomStatus({ doing: [] });
}

orchestration(deliverEvents, deliver);
