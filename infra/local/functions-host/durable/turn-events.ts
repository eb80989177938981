import { randomUUID } from 'node:crypto';
import { startedEvent } from './admission.ts';
import { type EventBody, EventType, event, type HistoryEvent } from './history.ts';
import { type Head, type Instance, type Obligation, obligationRow } from './instance.ts';
import type { Completion, Plan, Scheduled } from './replay/plan.ts';

/** How history remembers what was scheduled. */
export function scheduledEvent(one: Scheduled): HistoryEvent {
  switch (one.kind) {
    case 'activity':
      return event(
        { EventType: EventType.TaskScheduled, Name: one.name, Version: '', Input: one.input },
        one.id,
      );
    case 'timer':
      return event({ EventType: EventType.TimerCreated, FireAt: one.fireAt }, one.id);
    case 'child':
      return event(
        {
          EventType: EventType.SubOrchestrationInstanceCreated,
          Name: one.name,
          Version: one.version,
          InstanceId: one.instanceId,
          Input: one.input,
        },
        one.id,
      );
    case 'message':
      return event(
        { EventType: EventType.EventSent, InstanceId: one.target, Name: one.name, Input: one.input },
        one.id,
      );
  }
}

export function obligationOf({ id, head }: Omit<Instance, 'etag'>, one: Scheduled): Obligation {
  switch (one.kind) {
    case 'activity':
      return { kind: 'activity', taskId: one.id, name: one.name, input: one.input };
    case 'timer':
      return { kind: 'timer', taskId: one.id, fireAt: one.fireAt };
    case 'child': {
      const { name, version, instanceId, input } = one;
      const parent = { instanceId: id, executionId: head.executionId, taskId: one.id, name: head.name };
      return { kind: 'child', taskId: one.id, name, version, instanceId, input, parent };
    }
    case 'message':
      return {
        kind: 'message',
        id: `${head.executionId}!${one.id}`,
        target: one.target,
        message: { name: one.name, input: one.input },
      };
  }
}

export interface Ending {
  readonly head: Partial<Head>;
  readonly events: readonly HistoryEvent[];
  readonly promised: ReadonlyMap<string, Obligation>;
}

/** How an execution ends, if the plan says so: its output, and the answer to whoever called it; or its next execution. */
export function ending(id: string, head: Head, plan: Plan): Ending | undefined {
  const completion = plan.completion;
  if (completion === undefined) return undefined;
  if (completion.status === 'ContinuedAsNew') return continued(id, head, completion);
  const output = outputOf(completion);
  const status = { Completed: 1, Failed: 3, Terminated: 5 }[completion.status];
  const promised = new Map<string, Obligation>();
  if (head.parent !== undefined)
    promised.set(obligationRow(head.executionId, 'answer'), {
      kind: 'answer',
      instanceId: head.parent.instanceId,
      executionId: head.parent.executionId,
      event: answerTo(head.parent.taskId, completion, output),
    });
  return {
    head: { status: completion.status, output },
    events: [
      event(
        { EventType: EventType.ExecutionCompleted, OrchestrationStatus: status, Result: output },
        plan.nextId,
      ),
    ],
    promised,
  };
}

type Final = Exclude<Completion, { status: 'ContinuedAsNew' }>;

/** JSON text; a failure's is its reason. */
function outputOf(completion: Final): string | null {
  switch (completion.status) {
    case 'Completed':
      return completion.output;
    case 'Failed':
      return JSON.stringify(completion.reason);
    case 'Terminated':
      return completion.reason === null ? null : JSON.stringify(completion.reason);
  }
}

function answerTo(taskId: number, completion: Final, output: string | null): EventBody {
  if (completion.status === 'Completed')
    return {
      EventType: EventType.SubOrchestrationInstanceCompleted,
      TaskScheduledId: taskId,
      Result: output,
    };
  return {
    EventType: EventType.SubOrchestrationInstanceFailed,
    TaskScheduledId: taskId,
    Reason: completion.reason ?? 'terminated',
    Details: completion.status === 'Failed' ? completion.details : '',
    FailureDetails: completion.status === 'Failed' ? completion.failureDetails : null,
  };
}

function continued(id: string, head: Head, completion: Completion & { status: 'ContinuedAsNew' }): Ending {
  const next: Head = {
    ...head,
    executionId: randomUUID().replaceAll('-', ''),
    input: completion.input,
    status: 'Running',
    turn: 0,
  };
  const carried = completion.carried.map((one) => ({ ...one, IsPlayed: false }));
  return {
    head: { executionId: next.executionId, input: next.input, status: next.status, turn: next.turn },
    events: [],
    promised: new Map([
      [
        obligationRow(next.executionId, 'turn0'),
        { kind: 'turn', events: [startedEvent(id, next), ...carried] },
      ],
    ]),
  };
}
