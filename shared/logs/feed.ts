import type { Engine, LogLine } from '../docker/engine.ts';
import { Terminal } from '../model/errors.ts';
import type { AppendBlobs } from './append-blobs.ts';
import { advanced, type Cursor, engineSince, isAfter } from './log-line.ts';
import type { Segment } from './log-source.ts';
import { keptBackwards, keptForwards } from './read-kept.ts';

/** A container that is there still. */
export interface Live {
  readonly engine: Pick<Engine, 'logs'>;
  readonly id: string;
}

/** One container's log: what is kept of it and what its engine has, as one. */
export interface Feed {
  /** How far it was read, by whatever read it. */
  readonly cursor: () => Cursor;
  /** All after the cursor, in order; ends. */
  forwards(): AsyncIterable<LogLine>;
  /** From its end on. The cursor is then at its end. */
  backwards(): AsyncIterable<LogLine>;
  /** What comes after the cursor, until the container ends; nothing if it is gone. */
  follow(signal: AbortSignal): AsyncIterable<LogLine>;
}

/** Lines of an engine that are held at once, to be given backwards. */
const HELD = 100_000;

/**
 * @param from lines before it need not be given
 * @param lost is told that the engine does not answer: what is kept is then all
 */
export function makeFeed(from: {
  readonly blobs: AppendBlobs;
  readonly segments: readonly Segment[];
  /** Its segments as they are by then: a container that is gone has left its last lines there. */
  readonly again: () => Promise<readonly Segment[]>;
  readonly live: Live | undefined;
  readonly cursor?: Cursor;
  readonly from?: string | undefined;
  readonly lost: (error: unknown) => void;
}): Feed {
  const { blobs, segments, again, live, lost } = from;
  let cursor: Cursor = from.cursor ?? {};

  const keptAfter = async function* (found: readonly Segment[]) {
    const start = cursor;
    for await (const line of keptForwards(blobs, found, from.from)) {
      if (!isAfter(line, start)) continue;
      cursor = advanced(cursor, line);
      yield line;
    }
  };
  const engineLines = async function* (
    after: Cursor,
    options: { follow?: boolean; signal?: AbortSignal } = {},
  ) {
    if (live === undefined) return;
    // Of one that was read from its beginning there is nothing else to go by than what is asked for.
    const since = engineSince(after) ?? from.from;
    try {
      for await (const line of live.engine.logs(live.id, {
        ...options,
        ...(since === undefined ? {} : { since }),
      })) {
        if (!isAfter(line, after)) continue;
        cursor = advanced(cursor, line);
        yield line;
      }
    } catch (error) {
      if (options.signal?.aborted === true) return;
      if (!(error instanceof Terminal && error.code === 'container-not-found')) lost(error);
      yield* keptAfter(await again());
    }
  };

  return {
    cursor: () => cursor,
    async *forwards() {
      yield* keptAfter(segments);
      yield* engineLines(cursor);
    },
    async *backwards() {
      const kept = keptBackwards(blobs, segments);
      // Only the newest kept lines say where the engine's begin.
      const ahead: LogLine[] = [];
      let end: Cursor = {};
      for (const streams = new Set<string>(); streams.size < 2 && ahead.length < 1000; ) {
        const next = await kept.next();
        if (next.done === true) break;
        ahead.push(next.value);
        end = advanced(end, next.value);
        streams.add(next.value.stream);
      }
      cursor = end;
      let held: LogLine[] = [];
      for await (const line of engineLines(end)) {
        held.push(line);
        if (held.length > 2 * HELD) held = held.slice(HELD);
      }
      yield* held.reverse();
      yield* ahead;
      yield* kept;
    },
    follow: (signal) => engineLines(cursor, { follow: true, signal }),
  };
}
