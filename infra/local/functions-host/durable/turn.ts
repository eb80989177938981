import { begin, refusalOf } from './admission.ts';
import { decide, type TurnOptions } from './decision.ts';
import { EventType, event, type HistoryEvent } from './history.ts';
import { type Head, historyRow, type Instance, type Obligation, obligationRow } from './instance.ts';
import { type Change, outlives } from './instance-store.ts';
import type { Message, Outcome } from './message.ts';
import type { Plan, Scheduled } from './replay/plan.ts';
import { ending, obligationOf, scheduledEvent } from './turn-events.ts';

export interface Turn {
  /** Undefined if no message changed anything. */
  readonly change: Change | undefined;
  /** The instance after the change, but for its ETag. */
  readonly next: Omit<Instance, 'etag'> | undefined;
  /** Rows that no longer matter and did not fit into the transaction. */
  readonly leftover: readonly string[];
  readonly outcomes: ReadonlyMap<Message, Outcome>;
}

/** Of one transaction's 100, besides head and history; and of characters that are scheduled in one turn. */
const mostScheduled = 60;
const mostGone = 36;
const mostText = 400_000;

/** One turn of an orchestration: which messages count, what its function wants then, and what that changes. */
export async function takeTurn(
  id: string,
  stored: Instance | undefined,
  messages: readonly Message[],
  options: TurnOptions,
): Promise<Turn> {
  const outcomes = new Map<Message, Outcome>();
  const { base, etag, obsolete, events } = begin(id, stored, messages, outcomes);
  const fulfilled: string[] = [];
  for (const message of messages) {
    if (message.start !== undefined) continue;
    const twice = message.fulfils !== undefined && fulfilled.includes(message.fulfils);
    const refusal = twice ? 'stale' : refusalOf(base, message);
    outcomes.set(message, refusal ?? 'taken');
    if (refusal !== undefined) continue;
    events.push(...message.events);
    if (message.fulfils !== undefined) fulfilled.push(message.fulfils);
  }
  if (base === undefined || (events.length === 0 && fulfilled.length === 0))
    return { change: undefined, next: undefined, leftover: [], outcomes };

  const added: HistoryEvent[] = [event({ EventType: EventType.OrchestratorStarted }), ...events];
  const history = [...base.history, ...added];
  const { plan, customStatus } = await decide(base, history, options);
  const { scheduled, more } = fitting(plan);
  const promised = new Map<string, Obligation>();
  for (const one of scheduled) {
    added.push(scheduledEvent(one));
    promised.set(obligationRow(base.head.executionId, one.id), obligationOf(base, one));
  }
  if (more)
    promised.set(obligationRow(base.head.executionId, `turn${base.head.turn + 1}`), {
      kind: 'turn',
      events: [],
    });

  const end = more ? undefined : ending(id, base.head, plan);
  const head: Head = {
    ...base.head,
    status: plan.suspended ? 'Suspended' : 'Running',
    updatedAt: new Date().toISOString(),
    turn: base.head.turn + 1,
    customStatus: customStatus ?? base.head.customStatus,
    ...end?.head,
  };
  for (const [row, obligation] of end?.promised ?? []) promised.set(row, obligation);
  const restarted = head.executionId !== base.head.executionId;
  if (end !== undefined && !restarted) added.push(...end.events);
  added.push(event({ EventType: EventType.OrchestratorCompleted }));

  const gone = new Set([...fulfilled, ...obsolete]);
  const over = end !== undefined;
  for (const [row, obligation] of base.obligations)
    if (!outlives(obligation) && (over || idle(obligation, plan.open))) gone.add(row);
  if (restarted) for (const row of base.rows) gone.add(row);
  // What the head no longer knows can go later; what was fulfilled must go now, or it would be taken again.
  const now = [...new Set([...fulfilled, ...gone])].slice(0, Math.max(mostGone, fulfilled.length));
  const leftover = [...gone].filter((row) => !now.includes(row));

  const obligations = new Map([...base.obligations].filter(([row]) => !gone.has(row)));
  for (const [row, obligation] of promised) obligations.set(row, obligation);
  const change: Change = { id, head, etag, events: restarted ? [] : added, promised, gone: now };
  const next = {
    id,
    head,
    history: restarted ? [] : [...base.history, ...added.map((one) => ({ ...one, IsPlayed: true }))],
    obligations,
    rows: restarted ? [] : [...base.rows, historyRow(head.executionId, head.turn)],
  };
  return { change, next, leftover, outcomes };
}

/** As much of the plan as fits into one transaction; the next turn schedules the rest. */
function fitting(plan: Plan): { scheduled: readonly Scheduled[]; more: boolean } {
  if (plan.suspended) return { scheduled: [], more: false };
  let text = 0;
  const scheduled = plan.scheduled.slice(0, mostScheduled).filter((one, index) => {
    text += one.kind === 'timer' ? 0 : (one.input?.length ?? 0);
    return index === 0 || text <= mostText;
  });
  return { scheduled, more: scheduled.length < plan.scheduled.length };
}

/** Nobody waits for it any longer: a cancelled timer. */
const idle = (obligation: Obligation, open: ReadonlySet<number>): boolean =>
  'taskId' in obligation && !open.has(obligation.taskId);
