import type { LogLine } from './engine.ts';

/**
 * Lines from the multiplexed stream of GET /containers/{id}/logs?timestamps=1: frames of stream (1 byte: 1 stdout,
 * 2 stderr), three zeros, length (4 bytes, big-endian) and text, each message preceded by its time and a space.
 * A message that does not end in a line feed is continued by the next of its stream, whose time is dropped.
 * A container with a terminal has no frames: its stream begins with the digit of a year.
 * https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach, "Stream format"
 */
export async function* logLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  const open: Record<LogLine['stream'], LogLine | undefined> = { stdout: undefined, stderr: undefined };
  const pieces = { stdout: 0, stderr: 0 };
  for await (const { stream: name, text } of frames(stream)) {
    for (const message of text.split(/(?<=\n)/)) {
      const [time, rest] = timed(message);
      const begun = open[name];
      const line =
        begun === undefined ? { stream: name, time, text: rest } : { ...begun, text: begun.text + rest };
      pieces[name] = begun === undefined ? 1 : pieces[name] + 1;
      open[name] = line.text.endsWith('\n') || pieces[name] === LINE_PIECES ? undefined : line;
      if (open[name] === undefined) yield { ...line, text: line.text.replace(/\r?\n$/, '') };
    }
  }
  for (const line of [open.stdout, open.stderr]) if (line !== undefined) yield line;
}

/** Messages, of 16 KiB at most, that are put together to a line; what is longer becomes several. The agent does the same. */
const LINE_PIECES = 16;

function timed(message: string): [time: string, rest: string] {
  const space = message.indexOf(' ');
  return [message.slice(0, space), message.slice(space + 1)];
}

const HEADER = 8;
const STDERR = 2;
const LINE_FEED = 10;

async function* frames(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ stream: LogLine['stream']; text: string }> {
  let buffer = new Uint8Array(0);
  let isPlain: boolean | undefined;
  for await (const chunk of stream) {
    buffer = joined(buffer, chunk);
    isPlain ??= buffer.length === 0 ? undefined : (buffer[0] ?? 0) > STDERR;
    if (isPlain === true) {
      // Whole lines, so that no character and no time is cut in two.
      const end = buffer.lastIndexOf(LINE_FEED) + 1;
      if (end > 0) yield { stream: 'stdout', text: new TextDecoder().decode(buffer.subarray(0, end)) };
      buffer = buffer.slice(end);
      continue;
    }
    let at = 0;
    while (buffer.length - at >= HEADER) {
      const length = new DataView(buffer.buffer, buffer.byteOffset + at + 4, 4).getUint32(0);
      if (buffer.length - at < HEADER + length) break;
      const text = new TextDecoder().decode(buffer.subarray(at + HEADER, at + HEADER + length));
      yield { stream: buffer[at] === STDERR ? 'stderr' : 'stdout', text };
      at += HEADER + length;
    }
    buffer = buffer.slice(at);
  }
  if (isPlain === true && buffer.length > 0)
    yield { stream: 'stdout', text: new TextDecoder().decode(buffer) };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** RFC 3339 with up to nine fraction digits, or seconds, as nanoseconds since 1970. */
export function nanoseconds(time: string): bigint {
  const seconds = /^(\d+)(?:\.(\d{1,9}))?$/.exec(time);
  if (seconds !== null) return BigInt(seconds[1] ?? 0) * 1_000_000_000n + fraction(seconds[2]);
  const parts = /^(.+?)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(time);
  const whole = parts === null ? Number.NaN : Date.parse(`${parts[1]}${parts[3]}`);
  if (Number.isNaN(whole))
    throw new TypeError(`"${time}" is neither an RFC 3339 time nor seconds since 1970`);
  return BigInt(whole) * 1_000_000n + fraction(parts?.[2]);
}

const fraction = (digits: string | undefined): bigint => BigInt((digits ?? '').padEnd(9, '0'));

/** Seconds with nine fraction digits: what the engine takes as `since`. */
export function engineTime(time: string): string {
  const all = nanoseconds(time);
  return `${all / 1_000_000_000n}.${String(all % 1_000_000_000n).padStart(9, '0')}`;
}
