import type { Engine, LogLine } from '../docker/engine.ts';
import { Terminal } from '../model/errors.ts';
import type { AppendBlobs } from './append-blobs.ts';
import { type Feed, makeFeed } from './feed.ts';
import { type Cursor, fixedTime } from './log-line.ts';
import { type LogSource, labelOf, type Segment } from './log-source.ts';
import { arrivals, mergeByTime, type Reading } from './merge.ts';
import { keptSources } from './read-kept.ts';

/** A container whose log its engine still has. */
export interface LiveSource {
  readonly label: string;
  readonly machine: string;
  readonly containerId: string;
  /** @throws Retryable if the machine cannot be asked */
  engine(): Promise<Pick<Engine, 'logs' | 'version'>>;
}

/** Which logs are read. */
export interface LogSelection {
  readonly folder: string;
  isWanted(source: LogSource): boolean;
  live(): Promise<readonly LiveSource[]>;
  /** Whether to look for others that come while they are followed; otherwise following ends with those that are there. */
  readonly watch: boolean;
}

export interface ReadRequest {
  /** Only lines after it, RFC 3339. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** So many of the last lines of all, to begin with. */
  readonly tail?: number | undefined;
  readonly follow?: boolean;
  /** Only lines that have this in them. */
  readonly contains?: string | undefined;
  readonly ignoreCase?: boolean | undefined;
  /** How far the caller has read each, by the first 12 digits of its container. */
  readonly cursors?: ReadonlyMap<string, Cursor> | undefined;
}

export type LogItem =
  | (LogLine & { readonly replica: string; readonly container: string; readonly machine: string })
  /** What a reader should know of a log. */
  | { readonly note: string };

/** How many logs are followed at once: each is a connection to an engine. */
export const MOST_FOLLOWED = 100;
/** Characters that are held to give the last lines. */
const MOST_HELD = 32 * 1024 * 1024;
/** Between two looks for logs that have come; milliseconds. */
const LOOK_MS = 2_000;

interface Opened {
  readonly label: string;
  readonly machine: string;
  readonly container: string;
  readonly feed: Feed;
  readonly live: boolean;
  readonly from: string | undefined;
  readonly until: string | undefined;
  state: 'idle' | 'followed' | 'over';
}

/**
 * Lines of many logs as one: what was written before in the order of time, then what comes as it comes.
 * @param look milliseconds between two looks for logs that have come
 * @throws Terminal `logs-too-many`
 */
export async function* readLogs(
  blobs: AppendBlobs,
  selection: LogSelection,
  request: ReadRequest,
  signal: AbortSignal,
  look = LOOK_MS,
): AsyncGenerator<LogItem> {
  const opened = new Map<string, Opened>();
  const notes: string[] = [];
  const isWanted = lineFilter(request);
  await openAll(blobs, selection, request, opened, (note) => notes.push(note));
  if (request.follow === true) checkCount([...opened.values()].filter(({ live }) => live).length);
  for await (const { of, line } of backlog([...opened.values()], request, isWanted)) {
    for (const note of notes.splice(0)) yield { note };
    yield itemOf(of, line);
    if (signal.aborted) return;
  }
  for (const note of notes.splice(0)) yield { note };
  if (request.follow !== true) return;

  const hub = arrivals<LogItem>();
  const follow = () => {
    for (const one of opened.values()) {
      if (!one.live || one.state !== 'idle') continue;
      one.state = 'followed';
      void hub.add(itemsOf(one, signal, isWanted)).then(() => {
        one.state = selection.watch ? 'idle' : 'over';
      });
    }
  };
  const over = () => [...opened.values()].every(({ live, state }) => !live || state === 'over');
  const watch = async () => {
    follow();
    while (!signal.aborted && !(request.until !== undefined && Date.now() > Date.parse(request.until))) {
      await pause(selection.watch ? look : Math.min(look, 100), signal);
      if (signal.aborted) break;
      if (!selection.watch) {
        if (over()) break;
        continue;
      }
      await openAll(blobs, selection, { ...request, since: undefined }, opened, (note) => notes.push(note));
      if (notes.length > 0) void hub.add(iterable(notes.splice(0).map((note) => ({ note }))));
      if ([...opened.values()].filter(({ state }) => state === 'followed').length < MOST_FOLLOWED) follow();
    }
    hub.end();
  };
  signal.addEventListener('abort', () => hub.end());
  const watching = watch().catch(() => hub.end());
  yield* hub.lines();
  await watching;
}

async function* itemsOf(
  one: Opened,
  signal: AbortSignal,
  isWanted: (line: LogLine) => boolean,
): AsyncGenerator<LogItem> {
  for await (const line of one.feed.follow(signal)) if (isWanted(line)) yield itemOf(one, line);
}

async function openAll(
  blobs: AppendBlobs,
  selection: LogSelection,
  request: ReadRequest,
  opened: Map<string, Opened>,
  note: (text: string) => void,
): Promise<void> {
  const isFirst = opened.size === 0;
  // Those that are live first: one that goes meanwhile has its last lines among the kept.
  const live = await selection.live();
  const present = new Set(live.map(({ containerId }) => containerId.slice(0, 12)));
  for (const [container, one] of opened)
    if (one.live && !present.has(container) && one.state === 'idle') one.state = 'over';
  const found = isFirst ? await keptSources(blobs, selection.folder) : [];
  const since = request.since === undefined ? undefined : fixedTime(request.since);
  const kept = new Map(found.map((one) => [one.source.id, one] as const));
  const add = (
    container: string,
    label: string,
    machine: string,
    folder: string | undefined,
    segments: readonly Segment[],
    source: LiveSource | undefined,
  ) => {
    if (opened.has(container)) return;
    let told = false;
    const feed = makeFeed({
      blobs,
      segments,
      again: async () =>
        folder === undefined ? [] : ((await keptSources(blobs, folder))[0]?.segments ?? []),
      live: source && { id: source.containerId, engine: lazyEngine(source) },
      cursor:
        request.cursors?.get(container) ?? (since === undefined ? {} : { stdout: since, stderr: since }),
      from: since,
      lost: (error) => {
        if (!told)
          note(`${label}: ${machine} cannot be asked (${textOf(error)}): what is kept of it is shown.`);
        told = true;
      },
    });
    opened.set(container, {
      label,
      machine,
      container,
      feed,
      live: source !== undefined,
      from: segments[0]?.from.slice(0, 19),
      until:
        source === undefined
          ? new Date((segments.at(-1)?.modifiedAt.getTime() ?? 0) + SLACK_MS).toISOString()
          : undefined,
      state: 'idle',
    });
  };
  for (const source of live) {
    const container = source.containerId.slice(0, 12);
    const before = kept.get(container);
    const folder = before && folderOfSegment(before.segments);
    add(container, source.label, source.machine, folder, before?.segments ?? [], source);
  }
  for (const { source, segments } of found) {
    const ended = (segments.at(-1)?.modifiedAt.getTime() ?? 0) + SLACK_MS;
    if (!selection.isWanted(source) || (since !== undefined && ended < Date.parse(since))) continue;
    add(source.id, labelOf(source), source.machine, undefined, segments, undefined);
  }
}

/** Clocks of machines and of storage differ by less; milliseconds. */
const SLACK_MS = 60_000;

const folderOfSegment = (segments: readonly Segment[]): string | undefined =>
  segments[0]?.name.slice(0, segments[0].name.lastIndexOf('/') + 1);

const lazyEngine = (source: LiveSource): Pick<Engine, 'logs'> => ({
  async *logs(id, request) {
    yield* (await source.engine()).logs(id, request);
  },
});

async function* backlog(
  opened: readonly Opened[],
  { tail, since, until, follow }: ReadRequest,
  isWanted: (line: LogLine) => boolean,
): AsyncGenerator<{ of: Opened; line: LogLine }> {
  const last = until === undefined ? undefined : fixedTime(until);
  if (tail === undefined) {
    const readings = opened.map(
      (of): Reading<Opened> => ({
        of,
        bound: of.from,
        open: () => of.feed.forwards(),
      }),
    );
    for await (const merged of mergeByTime(readings)) {
      // Logs that are followed have to be read to their end all the same.
      if (last !== undefined && merged.line.time > last) {
        if (follow === true) continue;
        return;
      }
      if (isWanted(merged.line)) yield merged;
    }
    return;
  }
  const first = since === undefined ? undefined : fixedTime(since);
  const readings = opened.map(
    (of): Reading<Opened> => ({
      of,
      bound: of.until,
      open: () => of.feed.backwards(),
    }),
  );
  const held: { of: Opened; line: LogLine }[] = [];
  let size = 0;
  for await (const merged of mergeByTime(readings, 'backwards')) {
    if (held.length >= tail || size > MOST_HELD || (first !== undefined && merged.line.time <= first)) break;
    if ((last !== undefined && merged.line.time > last) || !isWanted(merged.line)) continue;
    held.push(merged);
    size += merged.line.text.length;
  }
  yield* held.reverse();
}

function lineFilter({ contains, ignoreCase }: ReadRequest): (line: LogLine) => boolean {
  if (contains === undefined) return () => true;
  if (ignoreCase !== true) return ({ text }) => text.includes(contains);
  const lower = contains.toLowerCase();
  return ({ text }) => text.toLowerCase().includes(lower);
}

const itemOf = ({ label, container, machine }: Opened, line: LogLine): LogItem => ({
  ...line,
  replica: label,
  container,
  machine,
});

function checkCount(count: number): void {
  if (count > MOST_FOLLOWED)
    throw new Terminal({
      code: 'logs-too-many',
      message: `${count} logs would be followed at once; at most ${MOST_FOLLOWED} are.`,
      remedy: 'Name a service or a replica.',
    });
}

async function* iterable<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
