import { ReadableStream } from 'node:stream/web';
import { HttpResponse } from '@azure/functions';
import { COMMENT_SECONDS, STREAM_SECONDS } from '../../../shared/api/log-stream.ts';
import {
  closeSession,
  readSession,
  resizeSession,
  type SessionEvent,
  writeSession,
} from '../../../shared/api/routes/sessions.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { Session, SessionItem } from '../../../shared/sessions/session.ts';
import { endpoint } from '../endpoint.ts';
import { idOf } from './exec.ts';
import type { Pace } from './log-response.ts';

export const read = endpoint(readSession, async ({ params, query, principal, services }) =>
  sessionResponse(await services.sessions.find(params.session, idOf(principal)), query.from),
);

export const write = endpoint(writeSession, async ({ params, body, principal, services }) => {
  const session = await services.sessions.find(params.session, idOf(principal));
  return { taken: await session.input(body.at, Buffer.from(body.bytes, 'base64'), body.end) };
});

export const resize = endpoint(resizeSession, async ({ params, body, principal, services }) => {
  await (await services.sessions.find(params.session, idOf(principal))).resize(body);
  return null;
});

export const close = endpoint(closeSession, async ({ params, principal, services }) => {
  await (await services.sessions.find(params.session, idOf(principal))).close();
  return null;
});

/** What comes of a session as server-sent events, taken as fast as the client reads. */
export function sessionResponse(
  session: Session,
  from: number,
  pace: Pace = { limit: STREAM_SECONDS, comment: COMMENT_SECONDS },
): HttpResponse {
  const abort = new AbortController();
  const items = session.output(from, abort.signal)[Symbol.asyncIterator]();
  const deadline = Date.now() + pace.limit * 1000;
  let at = from;
  let next: Promise<IteratorResult<SessionItem> | { fault: unknown }> | undefined;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const finish = (event: SessionEvent) => {
        controller.enqueue(frame(event));
        controller.close();
        abort.abort();
      };
      next ??= items.next().catch((fault: unknown) => ({ fault }));
      const got = await Promise.race([next, silence(Math.min(pace.comment * 1000, deadline - Date.now()))]);
      if (got === undefined)
        return Date.now() < deadline
          ? controller.enqueue(new TextEncoder().encode(': still here\n\n'))
          : finish({ event: 'end', data: { from: at } });
      if ('fault' in got) return finish(faultEvent(got.fault));
      if (got.done === true) return finish({ event: 'end', data: { from: at } });
      next = undefined;
      const item = got.value;
      at = item.seq + 1;
      if (!('bytes' in item)) return finish(exitEvent(item));
      const bytes = Buffer.from(item.bytes).toString('base64');
      controller.enqueue(frame({ event: 'piece', data: { seq: item.seq, stream: item.stream, bytes } }));
    },
    cancel: () => abort.abort(),
  });
  return new HttpResponse({
    body,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}

const exitEvent = ({ seq, exit, fault }: Extract<SessionItem, { exit: unknown }>): SessionEvent => ({
  event: 'exit',
  data: { seq, code: exit ?? null, ...(fault === undefined ? {} : { fault }) },
});

const faultEvent = (fault: unknown): SessionEvent => ({
  event: 'lost',
  data:
    fault instanceof Terminal
      ? { code: fault.code, message: `${fault.message} ${fault.remedy}` }
      : { code: 'session-lost', message: 'The session cannot be read any more.' },
});

const frame = ({ event, data }: SessionEvent): Uint8Array =>
  new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

const silence = (milliseconds: number): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(undefined), Math.max(0, milliseconds)).unref();
  });
