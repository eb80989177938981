import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../shared/docker/engine.ts';
import { memoryAppendBlobs } from '../../../shared/logs/append-blobs.memory.ts';
import { makeFeed } from '../../../shared/logs/feed.ts';
import { logKeeper, type Place } from '../../../shared/logs/log-keeper.ts';
import {
  advanced,
  type Cursor,
  engineSince,
  fixedTime,
  isAfter,
  lineText,
  parseLine,
} from '../../../shared/logs/log-line.ts';
import { folderOf, labelOf, parseSegment, sourceOf } from '../../../shared/logs/log-source.ts';
import { mergeByTime } from '../../../shared/logs/merge.ts';
import { keptBackwards, keptForwards, keptSources } from '../../../shared/logs/read-kept.ts';
import { expireLogs } from '../../../shared/logs/retention.ts';

const START = Date.parse('2026-11-30T12:00:00Z');
const timeAt = (microseconds: number): string =>
  fixedTime(BigInt(START) * 1_000_000n + BigInt(microseconds) * 1_000n);

const source = sourceOf(
  {
    id: 'abcdef0123456789'.repeat(4),
    name: 'dev.hello.web.r3.0.g2',
    labels: { 'berth.environment': 'dev', 'berth.service': 'dev.hello.web' },
  },
  'default-k3x9bc',
)!;

/** Lines as an engine has them: each stream in order, both a little out of step. */
const written = fc
  .array(
    fc.record({
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
      gap: fc.integer({ min: 1, max: 3_000_000 }),
      back: fc.integer({ min: 0, max: 1_000 }),
      text: fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\n', ' ')),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let at = 0;
    const last = { stdout: -1, stderr: -1 };
    return steps.map(({ stream, gap, back, text }): LogLine => {
      at += gap;
      last[stream] = Math.max(last[stream] + 1, at - back);
      return { stream, time: timeAt(last[stream]), text };
    });
  });

const engineWith = (lines: readonly LogLine[]) => ({
  async *logs(_: string, { since }: { since?: string }) {
    for (const line of lines) if (since === undefined || line.time > fixedTime(since)) yield line;
  },
});

/** An agent that sends what it read; its answers may be lost, and it may forget everything. */
async function sendAll(
  keeper: ReturnType<typeof logKeeper>,
  lines: readonly LogLine[],
  steps: readonly { count: number; fate: 'answered' | 'lost' | 'restarted' | 'collected' }[],
): Promise<void> {
  let place: Place | undefined;
  let kept: Cursor = {};
  let next = 0;
  for (const { count, fate } of steps) {
    const waiting = lines.slice(next, next + count).filter((line) => isAfter(line, kept));
    if (fate === 'collected') await keeper.keepRest(source, engineWith(lines.slice(0, next + count)), 'x');
    const answer = await keeper.append(source, place, waiting.map(lineText).join(''));
    if (fate === 'lost') continue;
    if (fate === 'restarted') {
      place = undefined;
      kept = await keeper.standing(source);
      next = 0;
      continue;
    }
    place = answer.place;
    if (answer.moved) kept = answer;
    else next += count;
  }
  await keeper.keepRest(source, engineWith(lines), 'x');
}

const collect = async <T>(lines: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const line of lines) all.push(line);
  return all;
};

const step = fc.record({
  count: fc.integer({ min: 1, max: 10 }),
  fate: fc.constantFrom(
    'answered' as const,
    'answered' as const,
    'lost' as const,
    'restarted' as const,
    'collected' as const,
  ),
});

describe('kept logs', () => {
  it('have every line once and in order, whatever answers are lost and whoever appends between', async () => {
    await fc.assert(
      fc.asyncProperty(written, fc.array(step, { maxLength: 12 }), async (lines, steps) => {
        const blobs = memoryAppendBlobs();
        const keeper = logKeeper(blobs);
        await sendAll(keeper, lines, steps);
        const [found] = await keptSources(blobs, 'dev/s/hello.web/');
        const segments = found?.segments ?? [];
        expect(await collect(keptForwards(blobs, segments))).toEqual(lines);
        expect(await collect(keptBackwards(blobs, segments))).toEqual([...lines].reverse());
      }),
    );
  });

  it('go on in what the engine has, without a gap and without a double, forwards, backwards and followed', async () => {
    await fc.assert(
      fc.asyncProperty(written, fc.nat(60), fc.nat(60), async (lines, keptCount, readCount) => {
        const blobs = memoryAppendBlobs();
        const keeper = logKeeper(blobs);
        await keeper.keepRest(source, engineWith(lines.slice(0, keptCount)), 'x');
        const segments = (await keptSources(blobs, 'dev/'))[0]?.segments ?? [];
        const feed = (seen: readonly LogLine[]) =>
          makeFeed({
            blobs,
            segments,
            again: async () => segments,
            live: { engine: engineWith(seen), id: 'x' },
            lost: () => expect.unreachable(),
          });
        expect(await collect(feed(lines).forwards())).toEqual(lines);
        expect(await collect(feed(lines).backwards())).toEqual([...lines].reverse());
        const early = lines.slice(0, Math.max(keptCount, readCount));
        const cursor = early.reduce(advanced, {} as Cursor);
        const rest = engineWith(lines).logs('x', { ...{ since: engineSince(cursor) } } as { since?: string });
        expect((await collect(rest)).filter((line) => isAfter(line, cursor))).toEqual(
          lines.slice(early.length),
        );
      }),
    );
  });

  it('are merged by time, each opened when it is its turn', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(written, { maxLength: 5 }), async (logs) => {
        const sorted = logs.map((lines) => [...lines].sort((a, b) => (a.time < b.time ? -1 : 1)));
        for (const direction of ['forwards', 'backwards'] as const) {
          const merged = await collect(
            mergeByTime(
              sorted.map((lines, of) => ({
                of,
                bound: (direction === 'forwards' ? lines[0] : lines.at(-1))?.time,
                async *open() {
                  yield* direction === 'forwards' ? lines : [...lines].reverse();
                },
              })),
              direction,
            ),
          );
          const times = merged.map(({ line }) => line.time);
          expect(times).toEqual(direction === 'forwards' ? [...times].sort() : [...times].sort().reverse());
          expect(merged.length).toBe(logs.flat().length);
        }
      }),
    );
  });

  it('are found by their names again', () => {
    expect(parseSegment(`${folderOf(source)}2026-11-30T12:00:00.000Z`)).toEqual({
      source,
      from: '2026-11-30T12:00:00.000Z',
    });
    expect(labelOf(source)).toBe('hello/web/0.g2');
    expect(parseSegment('dev/s/hello/x')).toBeUndefined();
    expect(sourceOf({ id: 'x', name: 'y', labels: {} }, 'm1')).toBeUndefined();
  });

  it('a line is read as it was written, and what a broken append left is passed over', () => {
    const line: LogLine = { stream: 'stderr', time: timeAt(5), text: 'a\rb \u{1f600}' };
    expect(parseLine(lineText(line).slice(0, -1))).toEqual(line);
    expect(parseLine('2026-11-30T12:00:00.0000')).toBeUndefined();
  });

  it('go when they are older than their environment keeps them', async () => {
    let now = new Date(START);
    const blobs = memoryAppendBlobs(() => now);
    const keeper = logKeeper(blobs);
    const keep = (at: number) =>
      keeper.keepRest(source, engineWith([{ stream: 'stdout', time: timeAt(at), text: 'x' }]), 'x');
    await keep(0);
    const of = async () => ({ days: 7 });
    now = new Date(START + 6.9 * 86_400_000);
    expect(await expireLogs(blobs, { of }, now)).toBe(0);
    expect(await expireLogs(blobs, { of: async () => ({ days: 1 }) }, now)).toBe(1);
  });
});
