import { randomUUID } from 'node:crypto';
import { EventType, event, type HistoryEvent } from './history.ts';
import { finished, type Head, type Instance, type Parent } from './instance.ts';
import { outlives } from './instance-store.ts';
import type { Message, Outcome, Start } from './message.ts';

export interface Begun {
  readonly base: Omit<Instance, 'etag'> | undefined;
  /** Of the stored head, if there is one. */
  readonly etag: string | undefined;
  readonly events: HistoryEvent[];
  /** Rows of an execution that is over. */
  readonly obsolete: readonly string[];
}

/** Starts a new execution if one is asked for and the id is free: unknown, or finished. */
export function begin(
  id: string,
  stored: Instance | undefined,
  messages: readonly Message[],
  outcomes: Map<Message, Outcome>,
): Begun {
  let begun: Begun = { base: stored, etag: stored?.etag, events: [], obsolete: [] };
  for (const message of messages) {
    if (message.start === undefined) continue;
    const head = begun.base?.head;
    const again = message.start.parent !== undefined && sameParent(message.start.parent, head?.parent);
    const free = head === undefined || (finished(head.status) && !again);
    outcomes.set(message, free || again ? 'taken' : 'active');
    if (free) begun = fresh(id, begun, message.start);
  }
  return begun;
}

function fresh(id: string, { base, etag }: Begun, start: Start): Begun {
  const executionId = randomUUID().replaceAll('-', '');
  const now = new Date().toISOString();
  const head: Head = {
    name: start.name,
    version: start.version,
    executionId,
    status: 'Pending',
    turn: 0,
    createdAt: now,
    updatedAt: now,
    parent: start.parent,
    input: start.input,
    output: null,
    customStatus: null,
  };
  const owed = [...(base?.obligations ?? [])];
  return {
    base: {
      id,
      head,
      history: [],
      obligations: new Map(owed.filter(([, obligation]) => outlives(obligation))),
      rows: [],
    },
    etag,
    events: [startedEvent(id, head)],
    obsolete: [
      ...(base?.rows ?? []),
      ...owed.filter(([, obligation]) => !outlives(obligation)).map(([row]) => row),
    ],
  };
}

export const startedEvent = (id: string, head: Head): HistoryEvent =>
  event({
    EventType: EventType.ExecutionStarted,
    Name: head.name,
    Version: head.version,
    Input: head.input,
    OrchestrationInstance: { InstanceId: id, ExecutionId: head.executionId },
    ParentInstance:
      head.parent === undefined
        ? null
        : {
            Name: head.parent.name,
            OrchestrationInstance: {
              InstanceId: head.parent.instanceId,
              ExecutionId: head.parent.executionId,
            },
            TaskScheduleId: head.parent.taskId,
            Version: '',
          },
  });

const sameParent = (one: Parent, other: Parent | undefined): boolean =>
  other !== undefined &&
  one.instanceId === other.instanceId &&
  one.executionId === other.executionId &&
  one.taskId === other.taskId;

/** Why a message changes nothing. */
export function refusalOf(base: Omit<Instance, 'etag'> | undefined, message: Message): Outcome | undefined {
  if (base === undefined) return 'missing';
  if (message.executionId !== undefined && message.executionId !== base.head.executionId) return 'stale';
  if (finished(base.head.status)) return 'finished';
  if (message.fulfils !== undefined && !base.obligations.has(message.fulfils)) return 'stale';
  if (message.once === true && message.events.every((one) => raisedBefore(base.history, one))) return 'stale';
  return undefined;
}

const raisedBefore = (
  history: readonly HistoryEvent[],
  { EventType: type, ...event }: HistoryEvent,
): boolean =>
  type === EventType.EventRaised &&
  history.some(
    (past) => past.EventType === EventType.EventRaised && 'Name' in event && past.Name === event.Name,
  );
