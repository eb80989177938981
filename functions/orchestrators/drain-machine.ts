import type { OrchestrationContext, Task } from 'durable-functions';
import { type DrainMachine, drainMachine, lookAtDrain } from '../../shared/machines/replacement/drain.ts';
import { later } from '../../shared/machines/waiting.ts';
import { callActivity, orchestration } from './call-activity.ts';

/** Looks after which the history is cut. */
const MOST_LOOKS = 100;

/** Follows a machine that is drained until nothing is left there. */
export function* drain(
  context: OrchestrationContext,
  { machine }: DrainMachine,
): Generator<Task, { readonly state: 'over' | 'drained' | 'failed' }, unknown> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const looked = yield* callActivity(context, lookAtDrain, { machine, looks });
    // The sweep begins again.
    if (looked.outcome === 'refused') return { state: 'failed' };
    const found = looked.value;
    if (found.state !== 'waiting') return { state: found.state };
    context.df.setCustomStatus({ left: found.left.slice(0, 10) });
    yield context.df.createTimer(later(context.df.currentUtcDateTime, found.pause));
  }
  context.df.continueAsNew({ machine } satisfies DrainMachine);
  return { state: 'over' };
}

orchestration(drainMachine, drain);
