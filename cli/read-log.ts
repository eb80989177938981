import { setTimeout as sleep } from 'node:timers/promises';
import { LogEvent } from '../shared/api/log-stream.ts';
import type { Route } from '../shared/api/route.ts';
import type { Client, Filling } from './client.ts';

export type LogLine = Extract<LogEvent, { event: 'line' }>['data'];

/**
 * The lines of one container. A stream that ends before the container does, or breaks off, is resumed after the last
 * line that came.
 * @throws Failure
 */
export async function* readLog(
  client: Client,
  route: Route<unknown, unknown, unknown, unknown>,
  filling: Filling,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let since = filling.query?.since as string | undefined;
  let tail = filling.query?.tail as number | undefined;
  for (;;) {
    const query = { ...filling.query, since, tail };
    let reason: string | undefined;
    try {
      for await (const event of logEvents(await client.open(route, { ...filling, query }, signal))) {
        if (event.event === 'line') {
          since = event.data.time;
          tail = undefined;
          yield event.data;
        } else if (event.event === 'end') reason = event.data.reason;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isBreak(error)) throw error;
    }
    if (reason === 'complete' || signal.aborted) return;
    await sleep(reason === 'limit' ? 0 : 500, undefined, { signal }).catch(() => undefined);
  }
}

/** The connection ended inside the stream: what was not yet read comes again after `since`. */
export const isBreak = (error: unknown): boolean =>
  error instanceof Error &&
  ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes((error as NodeJS.ErrnoException).code ?? '');

export async function* logEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogEvent> {
  for await (const event of serverEvents(chunks)) yield LogEvent.parse(event);
}

/** Server-sent events are blocks of lines with an empty line after each; a comment begins with a colon. */
export async function* serverEvents(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly event: string | undefined; readonly data: unknown }> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block
          .split('\n')
          .filter((line) => !line.startsWith(':'))
          .map((line) => {
            const [name = '', ...rest] = line.split(': ');
            return [name, rest.join(': ')] as const;
          }),
      );
      const data = fields.get('data');
      if (data !== undefined) yield { event: fields.get('event'), data: JSON.parse(data) };
    }
  }
}
