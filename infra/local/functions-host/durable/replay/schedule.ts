import { EventType, type HistoryEvent } from '../history.ts';
import { NonDeterministic, type Scheduled } from './plan.ts';
import { done, type Outcome, Task } from './task.ts';

type Draft = Scheduled extends infer One ? (One extends { id: number } ? Omit<One, 'id'> : never) : never;

/** Gives what is scheduled its sequence numbers and compares it with what history says was scheduled. */
export class Schedule {
  #nextId = 0;
  readonly #fresh = new Map<number, Scheduled>();
  readonly #open = new Map<number, Task>();

  get nextId(): number {
    return this.#nextId;
  }

  /** Not in history yet. */
  get fresh(): readonly Scheduled[] {
    return [...this.#fresh.values()].sort((a, b) => a.id - b.id);
  }

  get open(): ReadonlySet<number> {
    return new Set(this.#open.keys());
  }

  /** Schedules something that is not answered. */
  send(draft: Draft): number {
    const id = this.#nextId++;
    this.#fresh.set(id, { ...draft, id } as Scheduled);
    return id;
  }

  /** Schedules something that is answered under its sequence number. */
  start(draft: Draft): { id: number; task: Task } {
    const task = new Task();
    const id = this.send(draft);
    this.#open.set(id, task);
    return { id, task };
  }

  /** A timer nobody waits for any longer. */
  cancel(id: number): void {
    this.#open.delete(id);
  }

  settle(id: number, outcome: Outcome = done): void {
    const task = this.#open.get(id);
    this.#open.delete(id);
    task?.settle(outcome);
  }

  /** History says that this was scheduled. @throws NonDeterministic if the orchestrator did not schedule the same */
  confirm(event: HistoryEvent): void {
    const id = event.EventId;
    const past = describe(event);
    const now = this.#fresh.get(id);
    if (now === undefined)
      throw new NonDeterministic(
        `Non-deterministic orchestrator: history has ${past} as number ${id}, which this replay did not schedule.`,
      );
    const present = labelOf(now);
    if (past.toLowerCase() !== present.toLowerCase())
      throw new NonDeterministic(
        `Non-deterministic orchestrator: number ${id} was ${past} and is now ${present}.`,
      );
    this.#fresh.delete(id);
  }
}

function labelOf(scheduled: Scheduled): string {
  switch (scheduled.kind) {
    case 'activity':
    case 'child':
    case 'message':
      return `${scheduled.kind} ${scheduled.name}`;
    case 'timer':
      return 'timer';
  }
}

function describe(event: HistoryEvent): string {
  switch (event.EventType) {
    case EventType.TaskScheduled:
      return `activity ${event.Name}`;
    case EventType.SubOrchestrationInstanceCreated:
      return `child ${event.Name}`;
    case EventType.EventSent:
      return `message ${event.Name}`;
    default:
      return 'timer';
  }
}
