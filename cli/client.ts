import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';
import { Problem } from '../shared/api/problem.ts';
import type { Route } from '../shared/api/route.ts';
import type { Connection } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure, failureOf } from './failure.ts';

/** What fills a route's path and query, and its body: a value that becomes JSON, or a text of the route's text type. */
export interface Filling {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Bytes that are sent once, as they come. */
  readonly stream?: { readonly type: string; readonly body: AsyncIterable<Uint8Array> };
}

export interface Client {
  readonly connection: Connection;
  /** @throws Failure: what the API answered, or `unreachable`, which an aborted call is too */
  call<A>(route: Route<unknown, unknown, unknown, A>, filling?: Filling, signal?: AbortSignal): Promise<A>;
  /** The answer's stream, for routes that stream. @throws Failure */
  open(
    route: Route<unknown, unknown, unknown, unknown>,
    filling: Filling,
    signal?: AbortSignal,
  ): Promise<IncomingMessage>;
  close(): void;
}

/** Milliseconds until a connection stands and an answer begins. */
const PATIENCE = 30_000;
/** A server that is starting again, or asks to come back later, is asked this often. */
const ATTEMPTS = 5;
/** Not now: too many requests, or something is away. */
const LATER: ReadonlySet<number> = new Set([429, 503]);

/** @param broken breaks off every call when it is aborted */
export function makeClient(connection: Connection, broken?: AbortSignal): Client {
  const agent = new Agent({
    keepAlive: true,
    ...(connection.ca === undefined ? {} : { ca: [...rootCertificates, connection.ca] }),
  });

  /** Commands carry a key of their own, so that repeating one does nothing twice. */
  const ask = async (
    route: Route<unknown, unknown, unknown, unknown>,
    filling: Filling,
    own?: AbortSignal,
  ): Promise<IncomingMessage> => {
    const signal = either(own, broken);
    const idempotencyKey = crypto.randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      const result = await send(route, filling, idempotencyKey, signal).catch((error: unknown) =>
        error instanceof Error ? error : new Error(String(error)),
      );
      const isLast = attempt === ATTEMPTS || signal?.aborted === true || filling.stream !== undefined;
      if (result instanceof Error) {
        if (isLast || !passes(result)) throw unreachable(connection, result);
        await pause(200 * attempt, signal);
        continue;
      }
      const status = result.statusCode ?? 0;
      if (status >= 200 && status < 300) return result;
      const answer = await textOf(result);
      if (!LATER.has(status) || isLast) throw failureOf(problemIn(answer, status));
      await pause(1000 * Math.min(5, Number(result.headers['retry-after'] ?? 1) || 1), signal);
    }
  };

  const send = (
    route: Route<unknown, unknown, unknown, unknown>,
    { params = {}, query = {}, json, text, stream }: Filling,
    idempotencyKey: string,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(params[name] ?? ''),
      );
      const url = new URL(path, connection.url);
      for (const [name, value] of Object.entries(query))
        if (value !== undefined) url.searchParams.set(name, String(value));
      const body = text ?? (json === undefined ? undefined : JSON.stringify(json));
      const type = text === undefined ? 'application/json' : route.body?.text?.type;
      const outgoing = request(url, {
        agent,
        method: route.method,
        timeout: PATIENCE,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          accept: `${route.answerType}, application/problem+json`,
          authorization: `Bearer ${connection.key}`,
          ...(route.status === 202 ? { 'idempotency-key': idempotencyKey } : {}),
          ...(stream !== undefined
            ? { 'content-type': stream.type }
            : body === undefined
              ? { ...(route.method === 'GET' ? {} : { 'content-length': '0' }) }
              : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }),
        },
      });
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${PATIENCE / 1000} s`)));
      if (stream === undefined) outgoing.end(body);
      // What refuses answers before it has read all: the answer counts.
      else pipeline(Readable.from(stream.body), outgoing).catch((error) => outgoing.destroy(error));
    });

  return {
    connection,
    async call<A>(route: Route<unknown, unknown, unknown, A>, filling: Filling = {}, signal?: AbortSignal) {
      const text = await textOf(await ask(route, filling, signal));
      return (text === '' ? null : JSON.parse(text)) as A;
    },
    open: ask,
    close: () => agent.destroy(),
  };
}

/** Ends early where nobody wants the answer any more: the next attempt says so. */
const pause = (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
  sleep(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);

const either = (one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined =>
  one !== undefined && other !== undefined ? AbortSignal.any([one, other]) : (one ?? other);

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** A proxy in between may answer what is no problem document. */
function problemIn(text: string, status: number): Problem {
  try {
    return Problem.parse(JSON.parse(text));
  } catch {
    return {
      type: 'about:blank',
      title: 'Unexpected answer',
      code: 'answer-unexpected',
      status,
      detail: `The server answered ${status}, and not in Berth's words: ${text.slice(0, 200)}`,
      remedy: 'Check that BERTH_URL or .berth/client.json names Berth, and not something before it.',
    };
  }
}

/** Faults of a connection that go away when a server has started again. */
const passes = (error: Error): boolean =>
  ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes((error as NodeJS.ErrnoException).code ?? '');

function unreachable({ url, origin }: Connection, error: Error): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const isTrust = /CERT|SELF_SIGNED|ISSUER|ALTNAME|VERIFY/.test(code);
  return new Failure({
    code: isTrust ? 'certificate-untrusted' : 'unreachable',
    message: `${url.origin} ${isTrust ? 'has a certificate that is not trusted' : 'does not answer'}: ${error.message || code}`,
    remedy: isTrust
      ? 'Name the file of its authority in BERTH_CA, or as "ca" in .berth/client.json.'
      : `The address comes from ${origin}. Is Berth running? Start it with npm start; berth doctor says more.`,
    exitCode: exitCodes.unreachable,
  });
}
