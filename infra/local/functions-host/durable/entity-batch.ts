import { randomUUID } from 'node:crypto';
import type { BatchResult, EntityRequest, Lock, Operation } from './entity-request.ts';
import type { EntityState } from './entity-store.ts';
import { type EventBody, EventType } from './history.ts';
import { type Obligation, obligationRow } from './instance.ts';
import { entityId } from './replay/actions.ts';

export type Incoming =
  | { readonly kind: 'request'; readonly request: EntityRequest }
  | { readonly kind: 'release'; readonly parent: string };

export interface Batch {
  readonly operations: readonly Operation[];
  /** Granted after the operations. */
  readonly lock: Lock | undefined;
  readonly lockedBy: string | null;
  readonly queue: readonly EntityRequest[];
}

/** What an entity does next: everything in order, as long as nobody else holds its lock; a lock ends the batch. Pure. */
export function nextBatch({ lockedBy: holder, queue }: EntityState, incoming: readonly Incoming[]): Batch {
  let lockedBy = holder;
  const own: EntityRequest[] = [];
  const others: EntityRequest[] = [...queue];
  for (const one of incoming) {
    if (one.kind === 'release') lockedBy = lockedBy === one.parent ? null : lockedBy;
    else if (lockedBy !== null && one.request.parent === lockedBy) own.push(one.request);
    else others.push(one.request);
  }
  const waiting = [...own, ...others];
  const operations: Operation[] = [];
  while (waiting[0] !== undefined && (lockedBy === null || waiting[0].parent === lockedBy)) {
    const next = waiting.shift();
    if (next === undefined) break;
    if (next.kind === 'lock') return { operations, lock: next, lockedBy: next.parent, queue: waiting };
    operations.push(next);
  }
  return { operations, lock: undefined, lockedBy, queue: waiting };
}

/** What a batch owes to others: answers, signals, the lock's next stop. By row. */
export function owed({ operations, lock }: Batch, result: BatchResult): Map<string, Obligation> {
  const obligations: Obligation[] = [];
  for (const [index, operation] of operations.entries()) {
    const answer = result.results[index];
    if (operation.signal || operation.parent === undefined || operation.parentExecution === undefined)
      continue;
    obligations.push(
      answerTo(operation.parent, operation.parentExecution, operation.id, {
        result: answer?.result ?? null,
        ...(answer?.isError === false ? {} : { exceptionType: 'Error' }),
      }),
    );
  }
  for (const { target, name, input } of result.signals)
    obligations.push({
      kind: 'message',
      id: randomUUID(),
      target: entityId(target.name, target.key),
      message: {
        name: 'op',
        input: JSON.stringify({
          op: name,
          signal: true,
          id: randomUUID(),
          ...(input === undefined || input === null ? {} : { input }),
        }),
      },
    });
  if (lock !== undefined) obligations.push(lockStep(lock));
  return new Map(obligations.map((obligation) => [obligationRow('entity', randomUUID()), obligation]));
}

/** A lock goes from entity to entity in the set's order; the last one tells the orchestration. */
function lockStep(lock: Lock): Obligation {
  const pos = lock.pos + 1;
  const next = lock.lockset[pos];
  if (next === undefined) return answerTo(lock.parent, lock.parentExecution, lock.id, { result: null });
  const { kind: _kind, ...fields } = lock;
  return {
    kind: 'message',
    id: `${lock.id}!${pos}`,
    target: entityId(next.name, next.key),
    message: { name: 'op', input: JSON.stringify({ ...fields, pos }) },
  };
}

function answerTo(instanceId: string, executionId: string, name: string, body: object): Obligation {
  const event: EventBody = { EventType: EventType.EventRaised, Name: name, Input: JSON.stringify(body) };
  return { kind: 'answer', instanceId, executionId, event };
}
