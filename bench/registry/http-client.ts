import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plain,
} from 'node:http';
import { Agent as TlsAgent, request as tls } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const agents = {
  'http:': new PlainAgent({ keepAlive: true, maxSockets: 64 }),
  'https:': new TlsAgent({ keepAlive: true, maxSockets: 64 }),
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Bytes of the body, which was read and forgotten. */
  readonly size: number;
  /** The body, where it is an error's. */
  readonly text: string;
}

/**
 * One request; a body without `content-length` goes chunked. Node's own client, the same for everybody.
 * @param body called again where a connection that was used before turns out to be closed: each server closes those that are
 *   idle when it likes, and a request may cross that
 */
export async function send(
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>> = {},
  body?: () => Iterable<Buffer>,
): Promise<Answer> {
  for (;;) {
    const answer = await attempt(method, url, headers, body?.());
    if (answer !== 'closed before') return answer;
  }
}

async function attempt(
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Iterable<Buffer> | undefined,
): Promise<Answer | 'closed before'> {
  const secure = url.protocol === 'https:';
  const request = (secure ? tls : plain)(url, {
    method,
    headers,
    agent: agents[secure ? 'https:' : 'http:'],
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  // Of a connection that breaks while an answer is read, reading tells.
  request.on('error', () => {});
  let response: IncomingMessage;
  try {
    if (body === undefined) request.end();
    // Who answers before all was sent says why in the answer.
    else await Promise.race([pipeline(Readable.from(body), request).catch(() => answered), answered]);
    [response] = await answered;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (request.reusedSocket && (code === 'EPIPE' || code === 'ECONNRESET')) return 'closed before';
    throw new Error(`${method} ${url.origin}${url.pathname}: ${(error as Error).message}`, { cause: error });
  }
  const status = response.statusCode ?? 0;
  let size = 0;
  let text = '';
  for await (const part of response) {
    size += part.length;
    if (status >= 400) text += part;
  }
  return { status, headers: response.headers, size, text };
}

/** @throws if the answer is another */
export function expectStatus(answer: Answer, expected: number, what: string): Answer {
  if (answer.status === expected) return answer;
  throw new Error(`${what} was answered with ${answer.status} instead of ${expected}: ${answer.text}`);
}
