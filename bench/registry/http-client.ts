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

/** One request; a body without `content-length` goes chunked. Node's own client, the same for everybody. */
export async function send(
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>> = {},
  body?: Iterable<Buffer>,
): Promise<Answer> {
  const secure = url.protocol === 'https:';
  const request = (secure ? tls : plain)(url, {
    method,
    headers,
    agent: agents[secure ? 'https:' : 'http:'],
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  if (body === undefined) request.end();
  // Who answers before all was sent says why in the answer.
  else await Promise.race([pipeline(Readable.from(body), request).catch(() => answered), answered]);
  const [response] = await answered;
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
