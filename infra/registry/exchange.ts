import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream, type ReadableStreamDefaultController } from 'node:stream/web';

export type Handle = (request: Request) => Promise<Response>;

/** How this process is seen from outside. */
export interface Seen {
  /** Origin under which a proxy serves it; that proxy's word on the client's address is taken. Else it stands alone. */
  readonly origin?: string | undefined;
}

/** How long the rest of a body that nobody wanted may still come, milliseconds: clients read an answer after it. */
const LINGER = 30_000;

/** One request of Node's server through the handler. Bodies stream both ways, each no faster than it is taken. */
export async function exchange(
  handle: Handle,
  seen: Seen,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expectsContinue: boolean,
): Promise<void> {
  let continued = !expectsContinue;
  const request = requestOf(seen, incoming, () => {
    if (!continued) outgoing.writeContinue();
    continued = true;
  });
  const response = request === undefined ? badRequest() : await handle(request);
  // Its body was not asked for, so it may come or not: the connection cannot go on.
  if (!continued) outgoing.setHeader('connection', 'close');
  const headers = Object.fromEntries(response.headers);
  if (response.body === null) {
    if (hasLength(incoming, response) && headers['content-length'] === undefined)
      headers['content-length'] = '0';
    outgoing.writeHead(response.status, headers).end();
  } else {
    outgoing.writeHead(response.status, headers);
    await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing);
  }
  if (!incoming.complete && continued) discard(incoming);
}

const hasLength = ({ method }: IncomingMessage, { status }: Response): boolean =>
  method !== 'HEAD' && status !== 204 && status !== 304;

const badRequest = (): Response => new Response('the Host header or the path is malformed', { status: 400 });

/** @returns undefined if host and path make no address */
function requestOf({ origin }: Seen, incoming: IncomingMessage, onRead: () => void): Request | undefined {
  const { socket, method = 'GET', headersDistinct } = incoming;
  const own = `${'encrypted' in socket ? 'https' : 'http'}://${incoming.headers.host ?? ''}`;
  const url = `${origin ?? own}${incoming.url}`;
  if (!incoming.url?.startsWith('/') || !URL.canParse(url)) return undefined;
  const headers = new Headers();
  for (const [name, values] of Object.entries(headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  // Last in the list stands who connected to us, unless a proxy of ours wrote that.
  if (origin === undefined && socket.remoteAddress !== undefined)
    headers.append('x-forwarded-for', socket.remoteAddress);
  const hasBody =
    incoming.headers['transfer-encoding'] !== undefined ||
    Number(incoming.headers['content-length'] ?? 0) > 0;
  return new Request(url, {
    method,
    headers,
    ...(hasBody ? { body: bodyOf(incoming, onRead), duplex: 'half' } : {}),
  });
}

/** The body, read only as it is asked for; `onRead` is called before its first bytes are. */
function bodyOf(incoming: IncomingMessage, onRead: () => void): ReadableStream<Uint8Array> {
  let detach: (() => void) | undefined;
  const attach = (controller: ReadableStreamDefaultController<Uint8Array>): (() => void) => {
    onRead();
    const take = (part: Buffer): void => {
      controller.enqueue(part);
      if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
    };
    const end = (): void => controller.close();
    const fail = (error: Error): void => controller.error(error);
    const close = (): void => {
      if (!incoming.readableEnded) fail(new Error('the connection was closed'));
    };
    incoming.on('data', take).once('end', end).once('error', fail).once('close', close);
    // Gone before anybody read: nothing tells of it any more.
    if (incoming.destroyed) close();
    return () => incoming.off('data', take).off('end', end);
  };
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        detach ??= attach(controller);
        incoming.resume();
      },
      cancel: () => detach?.(),
    },
    { highWaterMark: 0 },
  );
}

/** Takes and forgets what still comes, so that the client gets to read the answer and the connection can go on. */
function discard(incoming: IncomingMessage): void {
  const late = setTimeout(() => incoming.destroy(), LINGER);
  incoming.once('close', () => clearTimeout(late));
  incoming.once('end', () => clearTimeout(late));
  incoming.removeAllListeners('data').resume();
}
