import type { Channel, TerminalSize } from '../docker/access.ts';
import { Terminal } from '../model/errors.ts';

/** What comes of a session, numbered from 0. */
export type SessionItem =
  | { readonly seq: number; readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  /** The last. */
  | { readonly seq: number; readonly exit: number | undefined; readonly fault?: string };

export interface Session {
  /**
   * Items from a number on, as they come; what is before it is taken as read. Ends with the last, with the signal, and when it
   * is read anew. @throws Terminal `session-output-gone`
   */
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
/**
 * Bytes that were read and can be read again. A client may be gone before what was sent has come to it: the functions' library
 * reads an answer to its end all the same.
 */
const MOST_KEPT = 1024 * 1024;

export function holdSession(id: string, channel: Channel, now: () => number = Date.now): HeldSession {
  const items: SessionItem[] = [];
  /** Numbers of the next that comes, and of the first that nobody has read. */
  let next = 0;
  let unread = 0;
  let waiting = 0;
  let kept = 0;
  let ended = false;
  let taken = 0;
  let inputs: Promise<unknown> = Promise.resolve();
  let readers = 0;
  let newest = 0;
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
    for (const item of items) {
      if (item.seq < unread || item.seq >= from) continue;
      waiting -= sizeOf(item);
      kept += sizeOf(item);
    }
    if (from > unread) wake();
    unread = Math.max(unread, from);
    for (
      let first = items[0];
      kept > MOST_KEPT && first !== undefined && first.seq < unread;
      first = items[0]
    ) {
      kept -= sizeOf(first);
      items.shift();
    }
  };

  return {
    id,
    over: () => ended && unread >= next - 1,
    idleSince: () => (readers > 0 ? now() : touched),
    present: (from) => items.filter(({ seq }) => seq >= from),
    read,
    async *output(from, signal) {
      readers += 1;
      newest += 1;
      const own = newest;
      wake();
      signal.addEventListener('abort', wake);
      try {
        if (from < (items[0]?.seq ?? next)) throw gone();
        // Who asks again has left the stream before.
        for (let at = from; !signal.aborted && own === newest; ) {
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

const sizeOf = (item: SessionItem): number => ('bytes' in item ? item.bytes.length : 0);

const gone = (): Terminal =>
  new Terminal({
    code: 'session-output-gone',
    status: 410,
    message: 'The connection broke, and what came meanwhile is more than is kept of a session.',
    remedy: 'Begin it again.',
  });
