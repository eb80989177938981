import type { LogLine } from '../docker/engine.ts';
import { nanoseconds } from '../docker/log-frames.ts';

/** How far a log was read: the time of the last line of each stream. One stream's lines come in the order of their times. */
export interface Cursor {
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
}

/** A line as it is kept: time, `o` or `e`, text. */
export const lineText = ({ time, stream, text }: LogLine): string =>
  `${time} ${stream === 'stdout' ? 'o' : 'e'} ${text}\n`;

/** @returns undefined for what is no such line: one that a broken append left */
export function parseLine(kept: string): LogLine | undefined {
  const [, time, stream, text] = /^(\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z) ([oe]) ([\s\S]*)$/.exec(kept) ?? [];
  if (time === undefined || text === undefined) return undefined;
  return { time, stream: stream === 'o' ? 'stdout' : 'stderr', text };
}

/** A moment with nine fraction digits in UTC, as engines write it: such texts compare as their times do. */
export function fixedTime(time: string | bigint): string {
  const all = typeof time === 'bigint' ? time : nanoseconds(time);
  const second = new Date(Number(all / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${second}.${String(all % 1_000_000_000n).padStart(9, '0')}Z`;
}

export const isAfter = (line: LogLine, cursor: Cursor): boolean => {
  const seen = cursor[line.stream];
  return seen === undefined || line.time > seen;
};

export const advanced = (cursor: Cursor, { stream, time }: LogLine): Cursor => {
  const seen = cursor[stream];
  return seen !== undefined && seen >= time ? cursor : { ...cursor, [stream]: time };
};

/** Streams are read side by side by the engine: their lines may be in another order than their times, by less than this. */
const JITTER = 5_000_000_000n;

/** What an engine is asked for so that nothing after the cursor is missing: what is before it is left out by `isAfter`. */
export function engineSince({ stdout, stderr }: Cursor): string | undefined {
  const last = later(stdout, stderr);
  return last === undefined ? undefined : fixedTime(nanoseconds(last) - JITTER);
}

const later = (one: string | undefined, other: string | undefined): string | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one;
