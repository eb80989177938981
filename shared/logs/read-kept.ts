import type { LogLine } from '../docker/engine.ts';
import type { AppendBlobs } from './append-blobs.ts';
import { parseLine } from './log-line.ts';
import { type LogSource, parseSegment, type Segment } from './log-source.ts';

/** Bytes that are in memory of one source at a time, the longest line apart. */
const CHUNK = 256 * 1024;

/** Every source under a folder, with its segments in order. */
export async function keptSources(
  blobs: AppendBlobs,
  folder: string,
): Promise<readonly { readonly source: LogSource; readonly segments: readonly Segment[] }[]> {
  const found = new Map<string, { source: LogSource; segments: Segment[] }>();
  for await (const { name, size, modifiedAt } of blobs.list(folder)) {
    const parsed = parseSegment(name);
    if (parsed === undefined) continue;
    const key = name.slice(0, name.lastIndexOf('/'));
    const known = found.get(key) ?? { source: parsed.source, segments: [] };
    known.segments.push({ name, from: parsed.from, size, modifiedAt });
    found.set(key, known);
  }
  return [...found.values()];
}

/** @param from lines before it may be left out, whole segments at a time */
export async function* keptForwards(
  blobs: AppendBlobs,
  segments: readonly Segment[],
  from?: string,
): AsyncGenerator<LogLine> {
  for (const [index, { name }] of segments.entries()) {
    const next = segments[index + 1];
    if (from !== undefined && next !== undefined && next.from < from) continue;
    const decoder = new TextDecoder();
    let rest = '';
    for (let at = 0; ; ) {
      const bytes = await blobs.read(name, at, CHUNK);
      at += bytes.length;
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const kept of lines) {
        const line = parseLine(kept);
        if (line !== undefined) yield line;
      }
      if (bytes.length < CHUNK) break;
    }
  }
}

/** The same from the end on. */
export async function* keptBackwards(
  blobs: AppendBlobs,
  segments: readonly Segment[],
): AsyncGenerator<LogLine> {
  for (const { name, size } of [...segments].reverse()) {
    let rest: Uint8Array = new Uint8Array();
    for (let end = size; end > 0; ) {
      const from = Math.max(0, end - CHUNK);
      const bytes = Buffer.concat([await blobs.read(name, from, end - from), rest]);
      end = from;
      // What stands before the first line feed began before this piece.
      const begins = from === 0 ? 0 : bytes.indexOf(10) + 1;
      rest = begins === 0 && from > 0 ? bytes : bytes.subarray(0, begins);
      const whole = begins === 0 && from > 0 ? '' : bytes.subarray(begins).toString('utf8');
      for (const kept of whole.split('\n').reverse()) {
        const line = parseLine(kept);
        if (line !== undefined) yield line;
      }
    }
  }
}
