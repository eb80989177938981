/** Something awaited in a replay. Unlike a promise it calls back at once, so a replay is one synchronous walk. */
export class Task {
  #outcome: Outcome | undefined;
  #waiting: ((outcome: Outcome) => void)[] = [];

  static done(): Task {
    const task = new Task();
    task.settle({ ok: true, value: null });
    return task;
  }

  get pending(): boolean {
    return this.#outcome === undefined;
  }

  /** The first outcome stands. */
  settle(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(outcome);
  }

  whenSettled(callback: (outcome: Outcome) => void): void {
    if (this.#outcome === undefined) this.#waiting.push(callback);
    else callback(this.#outcome);
  }
}

export type Outcome =
  | { readonly ok: true; readonly value: string | null }
  | { readonly ok: false; readonly nonRetriable: boolean };

export const done: Outcome = { ok: true, value: null };
export const failed: Outcome = { ok: false, nonRetriable: false };

export function whenAny(tasks: readonly Task[]): Task {
  const any = new Task();
  for (const task of tasks) task.whenSettled((outcome) => any.settle(outcome));
  return any;
}

/** Waits for all, also after a failure, as .NET's WhenAll does. */
export function whenAll(tasks: readonly Task[]): Task {
  const all = new Task();
  let left = tasks.length;
  let good = true;
  if (left === 0) all.settle(done);
  for (const task of tasks)
    task.whenSettled((outcome) => {
      good &&= outcome.ok;
      left -= 1;
      if (left === 0) all.settle(good ? done : failed);
    });
  return all;
}
