import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HostLog } from '../log.ts';
import type { ManagementAnswer, ManagementRequest } from './management-messages.ts';

export type Manage = (request: ManagementRequest) => Promise<ManagementAnswer>;

/** For the functions of this process: on 127.0.0.1, below a path that nobody else knows. */
export async function internalServer(
  secret: string,
  manage: Manage,
  log: HostLog,
): Promise<{ address: string; close(): void }> {
  const root = `/${secret}/`;
  const server = createServer((request, response) => {
    if (request.url?.startsWith(root) === true) serve(root, manage, log)(request, response);
    else response.writeHead(404).end();
  });
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}${root}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** For others: whoever shows the key. */
export function keyedManagement(root: string, key: string, manage: Manage, log: HostLog): RequestListener {
  const answer = serve(root, manage, log);
  return (request, response) => {
    const given = new URL(request.url ?? '/', 'http://host').searchParams.get('code') ?? '';
    if (same(given, key)) answer(request, response);
    else response.writeHead(401).end();
  };
}

function same(given: string, key: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(key)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const serve =
  (root: string, manage: Manage, log: HostLog) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    respond(root, manage, request, response).catch((error: unknown) => {
      log.failure('durable management', error);
      if (!response.headersSent) response.writeHead(500).end();
    });
  };

async function respond(
  root: string,
  manage: Manage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://host');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { status, body, headers } = await manage({
    method: request.method ?? 'GET',
    path: url.pathname.slice(root.length).split('/').filter(Boolean).map(decodeURIComponent),
    query: url.searchParams,
    headers: request.headers,
    body: Buffer.concat(chunks).toString(),
  });
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
