import type { Engine, LogLine } from '../docker/engine.ts';
import type { AppendBlobs } from './append-blobs.ts';
import { advanced, type Cursor, engineSince, isAfter, lineText, parseLine } from './log-line.ts';
import { folderOf, type Labelled, type LogSource, sourceOf } from './log-source.ts';

/** Where the next line goes. */
export interface Place {
  /** Name of a segment, without its folder. */
  readonly segment: string;
  readonly position: number;
}

/** How far a source is kept. */
export interface Standing extends Cursor {
  readonly place?: Place | undefined;
}

export interface LogKeeper {
  readonly blobs: AppendBlobs;
  standing(source: LogSource): Promise<Standing>;
  /**
   * Appends lines, whole ones, at the place that the answer before named.
   * @returns `moved`: nothing was appended, since another has: leave out what is not after the cursor, and go on at its place
   */
  append(
    source: LogSource,
    place: Place | undefined,
    text: string,
  ): Promise<Standing & { readonly moved: boolean }>;
  /** Keeps what a container's log has and is not kept yet: before the container, and its log with it, is removed. */
  keepRest(source: LogSource, engine: Pick<Engine, 'logs'>, container: string): Promise<void>;
}

/** A segment is no longer than this: a blob has at most 50,000 blocks, and what is too old is removed by segments. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
const SEGMENT_MS = 12 * 3600_000;
/** Of a segment's end, to find each stream's last line in. */
const END_BYTES = 256 * 1024;
/** Appended at once. */
const PIECE_BYTES = 1024 * 1024;

export function logKeeper(blobs: AppendBlobs): LogKeeper {
  const standing = async (source: LogSource): Promise<Standing> => {
    const folder = folderOf(source);
    let last: { name: string; size: number } | undefined;
    for await (const blob of blobs.list(folder)) last = blob;
    if (last === undefined) return {};
    const from = Math.max(0, last.size - END_BYTES);
    const bytes = await blobs.read(last.name, from, END_BYTES + 4 * PIECE_BYTES);
    return {
      ...cursorOf(new TextDecoder().decode(bytes), from > 0),
      place: { segment: last.name.slice(folder.length), position: from + bytes.length },
    };
  };

  const append: LogKeeper['append'] = async (source, place, text) => {
    if (place === undefined) {
      const known = await standing(source);
      if (known.place !== undefined) return { ...known, moved: true };
    }
    const first = parseLine(text.slice(0, text.indexOf('\n')));
    if (first === undefined) return { place, moved: false };
    const next =
      place === undefined || isFull(place, first.time)
        ? { segment: `${first.time.slice(0, 23)}Z`, position: 0 }
        : place;
    const size = await blobs.append(`${folderOf(source)}${next.segment}`, next.position, Buffer.from(text));
    if (size === undefined) return { ...(await standing(source)), moved: true };
    return { place: { segment: next.segment, position: size }, moved: false };
  };

  return {
    blobs,
    standing,
    append,
    async keepRest(source, engine, container) {
      let known = await standing(source);
      // A machine that sends its own at the same moment is met at most a few times.
      for (let attempt = 1; attempt <= 5; attempt += 1) {
        const moved = await keepFrom(source, engine, container, known, append);
        if (moved === undefined) return;
        known = moved;
      }
    },
  };
}

async function keepFrom(
  source: LogSource,
  engine: Pick<Engine, 'logs'>,
  container: string,
  known: Standing,
  append: LogKeeper['append'],
): Promise<Standing | undefined> {
  let place = known.place;
  let waiting = '';
  const flush = async (): Promise<Standing | undefined> => {
    if (waiting === '') return undefined;
    const answer = await append(source, place, waiting);
    if (answer.moved) return answer;
    place = answer.place;
    waiting = '';
    return undefined;
  };
  const since = engineSince(known);
  for await (const line of engine.logs(container, since === undefined ? {} : { since })) {
    if (!isAfter(line, known)) continue;
    waiting += lineText(line);
    if (waiting.length < PIECE_BYTES / 4) continue;
    const moved = await flush();
    if (moved !== undefined) return moved;
  }
  return await flush();
}

const isFull = ({ segment, position }: Place, time: string): boolean =>
  position >= SEGMENT_BYTES || Date.parse(time) - Date.parse(segment) >= SEGMENT_MS;

/**
 * The last line of each stream. One that has none in this piece has its last before it: the piece's first line is later.
 * @param cut whether something stands before it
 */
function cursorOf(text: string, cut: boolean): Cursor {
  let cursor: Cursor = {};
  let first: LogLine | undefined;
  for (const kept of text.split('\n')) {
    const line = parseLine(kept);
    if (line === undefined) continue;
    first ??= line;
    cursor = advanced(cursor, line);
  }
  if (first === undefined || !cut) return cursor;
  return { stdout: cursor.stdout ?? first.time, stderr: cursor.stderr ?? first.time };
}

/** A container is not kept longer than this for its log; milliseconds. */
const PATIENCE_MS = 20_000;

/** Keeps the rest of a container's log, as far as that succeeds in time: what it wrote is a help, and holds nothing up. */
export const keptBy =
  (logs: Pick<LogKeeper, 'keepRest'>) =>
  async (engine: Pick<Engine, 'logs'>, container: Labelled, machine: string): Promise<void> => {
    const source = sourceOf(container, machine);
    if (source === undefined) return;
    const kept = logs.keepRest(source, engine, container.id).catch(() => {
      // The machine's agent sends what it has read.
    });
    let limit: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([kept, over]);
    clearTimeout(limit);
  };
