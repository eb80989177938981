import type { Channel, TerminalSize } from '../docker/access.ts';

/** What comes of a session, numbered from 0. */
export type SessionItem =
  | { readonly seq: number; readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  /** The last. */
  | { readonly seq: number; readonly exit: number | undefined; readonly fault?: string };

export interface Session {
  /** Items from a number on, as they come; what is before it is taken as read. Ends with the last, or with the signal. */
  output(from: number, signal: AbortSignal): AsyncIterable<SessionItem>;
  /**
   * Input from a byte on. What was given before is passed over.
   * @returns bytes that were taken so far: less than `at` if something in between never came
   */
  input(at: number, bytes: Uint8Array, end: boolean): Promise<number>;
  resize(size: TerminalSize): Promise<void>;
  close(): Promise<void>;
}

export interface HeldSession extends Session {
  readonly id: string;
  /** Has said all that it had to say, and was heard. */
  readonly over: () => boolean;
  /** Milliseconds since 1970 of the last request, while none is reading. */
  readonly idleSince: () => number;
  /** Items from a number on that are there already. */
  present(from: number): readonly SessionItem[];
  /** What is before it was read, elsewhere. */
  read(from: number): void;
}

/** Bytes that wait to be read: the other side waits too, then. */
const MOST_WAITING = 1024 * 1024;

export function holdSession(id: string, channel: Channel, now: () => number = Date.now): HeldSession {
  let items: SessionItem[] = [];
  let next = 0;
  let waiting = 0;
  let ended = false;
  let taken = 0;
  let inputs: Promise<unknown> = Promise.resolve();
  let readers = 0;
  let touched = now();
  const wakes = new Set<() => void>();
  const wake = () => {
    for (const one of [...wakes]) one();
  };
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        wakes.delete(done);
        resolve();
      };
      wakes.add(done);
    });
  const last = (exit: number | undefined, fault?: string) => {
    items.push({ seq: next, exit, ...(fault === undefined ? {} : { fault }) });
    next += 1;
    ended = true;
    wake();
  };
  const pump = async () => {
    for await (const { stream, bytes } of channel.output) {
      items.push({ seq: next, stream, bytes });
      next += 1;
      waiting += bytes.length;
      wake();
      while (waiting >= MOST_WAITING && !ended) await change();
    }
    return await channel.exit();
  };
  pump().then(
    (exit) => last(exit),
    (error: unknown) => last(undefined, error instanceof Error ? error.message : String(error)),
  );
  const read = (from: number) => {
    touched = now();
    const left = items.filter(({ seq }) => seq >= from || seq === next - 1);
    if (left.length === items.length) return;
    items = left;
    waiting = left.reduce((sum, item) => sum + ('bytes' in item ? item.bytes.length : 0), 0);
    wake();
  };

  return {
    id,
    over: () => ended && items.length <= 1,
    idleSince: () => (readers > 0 ? now() : touched),
    present: (from) => items.filter(({ seq }) => seq >= from),
    read,
    async *output(from, signal) {
      readers += 1;
      signal.addEventListener('abort', wake);
      try {
        for (let at = from; !signal.aborted; ) {
          read(at);
          const item = items.find(({ seq }) => seq >= at);
          if (item === undefined) {
            if (ended && at >= next) return;
            await change();
            continue;
          }
          at = item.seq + 1;
          yield item;
          if (!('bytes' in item)) return;
        }
      } finally {
        readers -= 1;
        touched = now();
        signal.removeEventListener('abort', wake);
      }
    },
    input(at, bytes, end) {
      touched = now();
      const done = inputs.then(async () => {
        if (at > taken) return taken;
        const fresh = bytes.subarray(taken - at);
        taken += fresh.length;
        if (fresh.length > 0) await channel.write(fresh);
        if (end) channel.end();
        return taken;
      });
      inputs = done.catch(() => undefined);
      return done;
    },
    resize: (size) => channel.resize(size),
    async close() {
      channel.close();
    },
  };
}
