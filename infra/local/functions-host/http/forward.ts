import { randomUUID } from 'node:crypto';
import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as openRequest,
  type ServerResponse,
} from 'node:http';
import type { TypedData } from '../core/wire.ts';
import type { HttpFunction } from './router.ts';

/** What concerns one connection only: RFC 9110, 7.6.1. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const invocationHeader = 'x-ms-invocation-id';

export interface Forward {
  /** Runs the function behind a request: the body goes over the library's server, everything else in `metadata`. */
  readonly run: (
    target: HttpFunction,
    id: string,
    metadata: Readonly<Record<string, TypedData>>,
  ) => Promise<void>;
  /** Port of the library's server on 127.0.0.1. */
  readonly port: number;
  readonly failed: (functionName: string, error: unknown) => void;
}

/** Streams requests to functions and their answers back, without holding either. */
export function forwarder({ run, port, failed }: Forward) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 64 });

  const forward = (target: HttpFunction, incoming: IncomingMessage, answer: ServerResponse): void => {
    const id = randomUUID();
    const forwarded = forwardedFor(incoming);
    const outgoing = openRequest({
      agent,
      host: '127.0.0.1',
      port,
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: {
        ...endToEnd(incoming.headers),
        // A body of unknown length stays one; a request without any must not become chunked.
        ...(incoming.headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
        [invocationHeader]: id,
        'x-forwarded-for': forwarded,
        'x-forwarded-host': incoming.headers.host ?? '',
        'x-forwarded-proto': 'encrypted' in incoming.socket ? 'https' : 'http',
      },
    });
    const fail = (error: unknown): void => {
      outgoing.destroy();
      if (answer.destroyed || answer.writableEnded) return;
      failed(target.metadata.name, error);
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(500).end();
    };
    outgoing.on('error', fail);
    outgoing.on('response', (reply) => {
      answer.writeHead(reply.statusCode ?? 500, endToEnd(reply.headers));
      reply.on('error', fail);
      reply.pipe(answer);
    });
    // The caller went away: so does our request, and the function sees its body end.
    answer.on('close', () => {
      if (!answer.writableFinished) outgoing.destroy();
    });
    incoming.pipe(outgoing);
    run(
      target,
      id,
      metadataOf({ ...endToEnd(incoming.headers), 'x-forwarded-for': forwarded }, target.params),
    ).catch(fail);
  };
  return { forward, close: () => agent.destroy() };
}

/** As Azure's front ends do: what the client says of itself, then who it is. */
const forwardedFor = ({ headers, socket }: IncomingMessage): string => {
  const { remoteAddress = '', remotePort } = socket;
  const own = remoteAddress.includes(':')
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`;
  return [headers['x-forwarded-for'] ?? [], own].flat().join(', ');
};

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  const named = new Set(headers.connection?.split(',').map((name) => name.trim().toLowerCase()));
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !hopByHop.has(name) && !named.has(name) && name !== invocationHeader)
      kept[name] = value;
  return kept;
}

/** The library takes headers from here, not from the request that comes to its server. */
function metadataOf(
  headers: IncomingHttpHeaders,
  params: Readonly<Record<string, string>>,
): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {};
  for (const [name, value] of Object.entries(params)) metadata[name] = { string: value };
  metadata.Headers = { json: JSON.stringify(headers) };
  metadata.Query = { json: '{}' };
  return metadata;
}
