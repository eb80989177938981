import { AsyncLocalStorage } from 'node:async_hooks';
import type { Blobs } from '../../shared/state/blobs.ts';
import type { Tables } from '../../shared/state/tables.ts';

/**
 * Many tasks over one storage, one operation at a time: which task goes next is drawn anew at every operation, and some tasks
 * never go on after one, as if their process had been killed.
 */
export class Interleaving {
  readonly #random: () => number;
  readonly #onStep: () => void;
  readonly #waiting: (() => void)[] = [];
  readonly #task = new AsyncLocalStorage<{ left: number; cut: () => void }>();
  #active = 0;
  steps = 0;

  /** @param onStep called before every operation: time passes there */
  constructor(random: () => number, onStep: () => void) {
    this.#random = random;
    this.#onStep = onStep;
  }

  /** Waits until this operation is drawn. Outside of tasks nothing waits. */
  turn = (): Promise<void> => {
    const task = this.#task.getStore();
    if (task === undefined) return Promise.resolve();
    if (task.left === 0) {
      task.cut();
      return new Promise(() => {});
    }
    task.left -= 1;
    return new Promise((resolve) => this.#waiting.push(resolve));
  };

  /** @param operations after which the task is cut off; absent: never */
  #run(work: () => Promise<void>, operations = Number.POSITIVE_INFINITY): Promise<void> {
    this.#active += 1;
    return new Promise<void>((resolve, reject) => {
      const task = { left: operations, cut: resolve };
      this.#task.run(task, () => work().then(resolve, reject));
    }).finally(() => {
      this.#active -= 1;
    });
  }

  /** Runs all tasks, at most `width` at once, and `beside` as long as there are any. */
  async all(
    tasks: Iterator<{ readonly work: () => Promise<void>; readonly operations?: number }>,
    width: number,
    beside: readonly ((isOver: () => boolean) => Promise<void>)[] = [],
  ): Promise<void> {
    let over = false;
    const failures: unknown[] = [];
    const worker = async (): Promise<void> => {
      for (let next = tasks.next(); !next.done && failures.length === 0; next = tasks.next())
        await this.#run(next.value.work, next.value.operations);
    };
    const workers = Promise.all(
      Array.from({ length: width }, () => worker().catch((error) => failures.push(error))),
    );
    const done = Promise.all([
      workers.then(() => {
        over = true;
      }),
      ...beside.map((work) => this.#run(() => work(() => over)).catch((error) => failures.push(error))),
    ]);
    let ended = false;
    void done.then(() => {
      ended = true;
    });
    for (let idle = 0; !ended; ) {
      // Everything that can go on without storage has gone on, once nothing is left to do but wait.
      await new Promise((resolve) => setImmediate(resolve));
      const index = Math.floor(this.#random() * this.#waiting.length);
      const [drawn] = this.#waiting.splice(index, 1);
      idle = drawn === undefined ? idle + 1 : 0;
      if (drawn === undefined) {
        // Real storage takes its time, and wants the processor for it.
        if (idle > 100) await new Promise((resolve) => setTimeout(resolve, 1));
        if (idle > 120_000) throw new Error(`${this.#active} tasks wait for nothing`);
        continue;
      }
      this.steps += 1;
      this.#onStep();
      drawn();
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** The same storage, where every operation waits for its turn. */
export function interleavedBlobs(blobs: Blobs, turn: () => Promise<void>): Blobs {
  const each =
    <A extends unknown[], R>(operation: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      await turn();
      return operation(...given);
    };
  return {
    ...blobs,
    head: each(blobs.head),
    read: each(blobs.read),
    open: each(blobs.open),
    put: each(blobs.put),
    stageBlock: each(blobs.stageBlock),
    commitBlocks: each(blobs.commitBlocks),
    setMetadata: each(blobs.setMetadata),
    delete: each(blobs.delete),
    page: each(blobs.page),
    async *list(prefix) {
      await turn();
      yield* blobs.list(prefix);
    },
  };
}

export function interleavedTables(tables: Tables, turn: () => Promise<void>): Tables {
  return {
    async read(...given) {
      await turn();
      return tables.read(...given);
    },
    async *list(...given) {
      await turn();
      let count = 0;
      for await (const row of tables.list(...given)) {
        // Azure answers in pages, between which others write.
        count += 1;
        if (count % 7 === 0) await turn();
        yield row;
      }
    },
    async commit(...given) {
      await turn();
      return tables.commit(...given);
    },
  };
}
