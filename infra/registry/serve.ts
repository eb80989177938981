import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { exchange, type Handle, type Seen } from './exchange.ts';

export interface ServeOptions extends Seen {
  readonly address: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** A connection over which nothing moves for so long is closed, milliseconds. */
const IDLE = 10 * 60_000;
/** What requests that run when the end is asked for still get, milliseconds. */
const GRACE = 30_000;

/** Serves a handler until `close`, which lets running requests end. @throws if the address is taken */
export async function serve(
  handle: Handle,
  { address, port, tls, ...seen }: ServeOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const running = new Set<ServerResponse>();
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse, expects: boolean): void => {
    running.add(outgoing);
    outgoing.once('close', () => running.delete(outgoing));
    exchange(handle, seen, incoming, outgoing, expects).catch(() => outgoing.destroy());
  };
  // An upload takes as long as it takes, as long as it moves.
  const options = { requestTimeout: 0, keepAliveTimeout: 65_000 };
  const server: Server = tls === undefined ? createServer(options) : createTlsServer({ ...options, ...tls });
  server.timeout = IDLE;
  server.on('request', (incoming, outgoing) => answer(incoming, outgoing, false));
  server.on('checkContinue', (incoming, outgoing) => answer(incoming, outgoing, true));
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      for (const response of running) if (!response.headersSent) response.setHeader('connection', 'close');
      const overdue = setTimeout(() => server.closeAllConnections(), GRACE);
      await closed;
      clearTimeout(overdue);
    },
  };
}
