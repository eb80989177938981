import type { HistoryEvent } from '../history.ts';
import { done, Task } from './task.ts';

/**
 * Events by name, without case. An event goes to whoever began to wait last; one that nobody waits for is kept, first in
 * first out.
 */
export class ExternalEvents {
  readonly #waiting = new Map<string, Task[]>();
  readonly #kept = new Map<string, HistoryEvent[]>();

  wait(name: string): Task {
    const key = name.toLowerCase();
    const task = new Task();
    if (this.#kept.get(key)?.shift() !== undefined) {
      task.settle(done);
      return task;
    }
    const waiting = this.#waiting.get(key) ?? [];
    waiting.push(task);
    this.#waiting.set(key, waiting);
    return task;
  }

  raise(name: string, event: HistoryEvent): void {
    const key = name.toLowerCase();
    const task = this.#waiting.get(key)?.pop();
    if (task !== undefined) {
      task.settle(done);
      return;
    }
    const kept = this.#kept.get(key) ?? [];
    kept.push(event);
    this.#kept.set(key, kept);
  }

  /** What nobody has waited for. */
  unread(): readonly HistoryEvent[] {
    return [...this.#kept.values()].flat();
  }
}
