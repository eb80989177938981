import type { LogLine } from '../docker/engine.ts';

/** Logs that are read beside each other, each known by what it is read for. */
export interface Reading<S> {
  readonly of: S;
  /** No line is before it (forwards) or after it (backwards): it need not be opened until others have come so far. */
  readonly bound?: string | undefined;
  open(): AsyncIterable<LogLine>;
}

export interface Merged<S> {
  readonly of: S;
  readonly line: LogLine;
}

/** One line of each open log is in memory. */
interface Head<S> {
  readonly of: S;
  line: LogLine;
  readonly rest: AsyncIterator<LogLine>;
}

/** All lines in the order of their times, or in the opposite order. */
export async function* mergeByTime<S>(
  readings: readonly Reading<S>[],
  direction: 'forwards' | 'backwards' = 'forwards',
): AsyncGenerator<Merged<S>> {
  const sign = direction === 'forwards' ? 1 : -1;
  const unbound = direction === 'forwards' ? '' : '~';
  const order = (one: string, other: string) => (one < other ? -sign : one > other ? sign : 0);
  const closed = [...readings].sort((a, b) => order(a.bound ?? unbound, b.bound ?? unbound));
  const heads: Head<S>[] = [];
  try {
    for (;;) {
      const first = heads.reduce<Head<S> | undefined>(
        (least, head) => (least === undefined || order(head.line.time, least.line.time) < 0 ? head : least),
        undefined,
      );
      const next = closed[0];
      if (next !== undefined && (first === undefined || order(next.bound ?? unbound, first.line.time) <= 0)) {
        closed.shift();
        const rest = next.open()[Symbol.asyncIterator]();
        const { done, value } = await rest.next();
        if (done !== true) heads.push({ of: next.of, line: value, rest });
        continue;
      }
      if (first === undefined) return;
      yield { of: first.of, line: first.line };
      const { done, value } = await first.rest.next();
      if (done === true) heads.splice(heads.indexOf(first), 1);
      else first.line = value;
    }
  } finally {
    for (const { rest } of heads) await rest.return?.();
  }
}

/** Lines of many logs as they come; each has one line waiting at most, so that none crowds out the others. */
export function arrivals<T>(): {
  /** Reads one to its end. */
  add(lines: AsyncIterable<T>): Promise<void>;
  /** Ends what `lines` gives, after what is waiting. */
  end(): void;
  lines(): AsyncGenerator<T>;
} {
  const waiting: { value: T; taken: () => void }[] = [];
  let wake = () => {};
  let ended = false;
  return {
    async add(lines) {
      for await (const value of lines) {
        if (ended) return;
        await new Promise<void>((taken) => {
          waiting.push({ value, taken });
          wake();
        });
      }
    },
    end() {
      ended = true;
      wake();
    },
    async *lines() {
      try {
        for (;;) {
          const next = waiting.shift();
          if (next !== undefined) {
            yield next.value;
            next.taken();
            continue;
          }
          if (ended) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = () => {};
        }
      } finally {
        ended = true;
        for (const { taken } of waiting.splice(0)) taken();
      }
    },
  };
}
