import { setTimeout as wait } from 'node:timers/promises';
import type { HostLog } from '../log.ts';
import type { RunActivity } from './activities.ts';
import type { Engine } from './engine.ts';
import type { Entities } from './entities.ts';
import { EventType, event } from './history.ts';
import { type Dispatch, type Obligation, obligationRow } from './instance.ts';
import type { Work } from './work.ts';

export interface DispatchParts {
  /** Both exist only after the dispatcher does. */
  readonly engine: () => Engine;
  readonly entities: () => Entities;
  readonly runActivity: RunActivity;
  readonly work: Work;
  readonly log: HostLog;
}

export interface Dispatcher {
  readonly dispatch: Dispatch;
  /** Begins with nothing more, and waits for activities that run, but no longer than `milliseconds`. */
  close(milliseconds: number): Promise<void>;
}

/** Longest that a timer of this process can wait, milliseconds: what lies beyond is waited for in parts. */
const longestTimeout = 2 ** 31 - 1;

/** Begins with an obligation; whoever fulfils it deletes its row. `id` is the partition's owner: orchestration or entity. */
export function dispatcher({ engine, entities, runActivity, work, log }: DispatchParts): Dispatcher {
  const running = new Set<Promise<void>>();
  let closed = false;
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
  const track = (activity: Promise<void>): void => {
    running.add(activity);
    activity.finally(() => running.delete(activity));
  };
  const take = (id: string, row: string) => () => work.end(id, row);

  const setTimer = (id: string, row: string, timer: Extract<Obligation, { kind: 'timer' }>): void => {
    const due = Date.parse(timer.fireAt) - Date.now();
    // Node's timers may end a little early: an orchestration's clock must not stand before the time it waited for.
    if (due > 0) {
      work.wait(id, row, Math.min(due, longestTimeout), () => setTimer(id, row, timer));
      return;
    }
    const fired = event({ EventType: EventType.TimerFired, TimerId: timer.taskId, FireAt: timer.fireAt });
    engine().post(id, { events: [fired], fulfils: row, settle: take(id, row) });
  };

  const dispatch: Dispatch = (id, row, obligation) => {
    // The row stays for the next host.
    if (closed) return;
    work.begin(id, row);
    switch (obligation.kind) {
      case 'activity':
        track(
          runActivity(id, obligation)
            .then((body) => engine().post(id, { events: [event(body)], fulfils: row, settle: take(id, row) }))
            .catch((error: unknown) => {
              work.end(id, row);
              log.failure(`activity ${obligation.name} of ${id}`, error);
            }),
        );
        return;
      case 'timer':
        setTimer(id, row, obligation);
        return;
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
  return {
    dispatch,
    async close(milliseconds) {
      closed = true;
      await Promise.race([Promise.all(running), wait(milliseconds, undefined, { ref: false })]);
    },
  };
}
