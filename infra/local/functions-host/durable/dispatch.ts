import type { HostLog } from '../log.ts';
import type { RunActivity } from './activities.ts';
import type { Engine } from './engine.ts';
import type { Entities } from './entities.ts';
import { EventType, event } from './history.ts';
import { type Obligation, obligationRow } from './instance.ts';
import type { Work } from './work.ts';

export interface DispatchParts {
  /** Both exist only after the dispatcher does. */
  readonly engine: () => Engine;
  readonly entities: () => Entities;
  readonly runActivity: RunActivity;
  readonly work: Work;
  readonly log: HostLog;
}

export type Dispatch = (id: string, row: string, obligation: Obligation) => void;

/** Longest that a timer of this process can wait, milliseconds; the sweep sets what lies beyond anew. */
const longestTimeout = 2 ** 31 - 1;

/** Begins with an obligation; whoever fulfils it deletes its row. `id` is the partition's owner: orchestration or entity. */
export function dispatcher({ engine, entities, runActivity, work, log }: DispatchParts): Dispatch {
  const ended = (id: string, row: string, then?: () => Promise<void>) => () => {
    engine()
      .fulfilled(id, row)
      .then(then)
      .catch((error: unknown) => {
        // The row stays, and the sweep of any host delivers it again.
        work.end(id, row);
        log.failure(`obligation ${row} of ${id}`, error);
      });
  };
  const take = (id: string, row: string) => () => work.end(id, row);

  return (id, row, obligation) => {
    work.begin(id, row);
    switch (obligation.kind) {
      case 'activity':
        runActivity(id, obligation)
          .then((body) => engine().post(id, { events: [event(body)], fulfils: row, settle: take(id, row) }))
          .catch((error: unknown) => {
            work.end(id, row);
            log.failure(`activity ${obligation.name} of ${id}`, error);
          });
        return;
      case 'timer': {
        const due = Math.max(0, Date.parse(obligation.fireAt) - Date.now());
        if (due > longestTimeout) return work.wait(id, row, longestTimeout, take(id, row));
        return work.wait(id, row, due, () =>
          engine().post(id, {
            events: [
              event({
                EventType: EventType.TimerFired,
                TimerId: obligation.taskId,
                FireAt: obligation.fireAt,
              }),
            ],
            fulfils: row,
            settle: take(id, row),
          }),
        );
      }
      case 'child': {
        const { name, version, input, parent, taskId } = obligation;
        // The row stays until the child's answer takes it: the sweep would start a lost child again.
        engine().post(obligation.instanceId, {
          start: { name, version, input, parent },
          events: [],
          settle: (outcome) => {
            if (outcome === 'taken') return;
            engine().post(id, {
              events: [
                event({
                  EventType: EventType.SubOrchestrationInstanceFailed,
                  TaskScheduledId: taskId,
                  Reason: `An orchestration with the id '${obligation.instanceId}' is running already.`,
                  Details: '',
                  FailureDetails: null,
                }),
              ],
              fulfils: row,
              settle: take(id, row),
            });
          },
        });
        return;
      }
      case 'message':
        entities().post(obligation.target, {
          id: obligation.id,
          message: obligation.message,
          settle: ended(id, row, () => entities().forgetReceipt(obligation.target, obligation.id)),
        });
        return;
      case 'answer': {
        const body = obligation.event;
        engine().post(obligation.instanceId, {
          events: [event(body)],
          executionId: obligation.executionId,
          once: body.EventType === EventType.EventRaised,
          ...('TaskScheduledId' in body
            ? { fulfils: obligationRow(obligation.executionId, body.TaskScheduledId) }
            : {}),
          settle: ended(id, row),
        });
        return;
      }
      case 'turn':
        engine().post(id, { events: obligation.events, fulfils: row, settle: take(id, row) });
    }
  };
}
