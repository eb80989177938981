import { ReadableStream } from 'node:stream/web';
import { HttpResponse } from '@azure/functions';
import { COMMENT_SECONDS, type LogEvent, STREAM_SECONDS } from '../../../shared/api/log-stream.ts';

export type LogLine = Extract<LogEvent, { event: 'line' }>['data'];
export type LogItem = LogLine | { readonly note: string };

/** How long a stream may last and be silent, in seconds; tests shorten them. */
export interface Pace {
  readonly limit: number;
  readonly comment: number;
}

/**
 * Log lines as server-sent events. Lines are taken from the engine as fast as the client reads, no faster.
 * @param open begins reading; its signal aborts when the client goes or the time is up
 */
export function logResponse(
  open: (signal: AbortSignal) => AsyncIterable<LogItem>,
  pace: Pace = { limit: STREAM_SECONDS, comment: COMMENT_SECONDS },
): HttpResponse {
  const abort = new AbortController();
  const lines = open(abort.signal)[Symbol.asyncIterator]();
  const deadline = Date.now() + pace.limit * 1000;
  let cursor: string | undefined;
  let next: Promise<Next> | undefined;

  const end = (reason: 'complete' | 'limit' | 'engine'): LogEvent => ({
    event: 'end',
    data: { reason, ...(cursor === undefined ? {} : { cursor }) },
  });
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      next ??= lines.next().then(
        (result) => ({ kind: 'next', result }),
        () => ({ kind: 'broken' }),
      );
      const got = await Promise.race([next, silence(Math.min(pace.comment * 1000, deadline - Date.now()))]);
      if (got.kind === 'silence' && Date.now() < deadline)
        return controller.enqueue(encode(': still here\n\n'));
      if (got.kind === 'next' && got.result.done !== true) {
        next = undefined;
        const { value } = got.result;
        if ('note' in value) return controller.enqueue(frame({ event: 'note', data: { text: value.note } }));
        cursor = value.time;
        return controller.enqueue(frame({ event: 'line', data: value }));
      }
      controller.enqueue(
        frame(end(got.kind === 'silence' ? 'limit' : got.kind === 'broken' ? 'engine' : 'complete')),
      );
      controller.close();
      abort.abort();
    },
    cancel: () => abort.abort(),
  });
  return new HttpResponse({
    body,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}

type Next = { readonly kind: 'next'; readonly result: IteratorResult<LogItem> } | { readonly kind: 'broken' };

const silence = (milliseconds: number): Promise<{ kind: 'silence' }> =>
  new Promise((resolve) => {
    setTimeout(() => resolve({ kind: 'silence' }), Math.max(0, milliseconds)).unref();
  });

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function frame(event: LogEvent): Uint8Array {
  const id = event.event === 'line' ? `id: ${event.data.time}\n` : '';
  return encode(`${id}event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`);
}
