import { type AddressInfo, Server } from 'node:net';

/** The library's HTTP server on 127.0.0.1. */
export interface ProxyServer {
  readonly port: number;
  close(): void;
}

type Listen = typeof Server.prototype.listen;

/**
 * Runs `start` so that a server it opens listens on 127.0.0.1 alone: the library calls `listen()` without an address, which
 * would open its port, that asks nobody who they are, to the whole network.
 * The server's time limits are lifted too: an upload may take longer than Node's 300 s, and this host's connections to it
 * stay open between requests.
 */
export async function loopbackListeners(
  start: () => Promise<Record<string, string> | undefined>,
): Promise<{ capabilities: Record<string, string> | undefined; server: ProxyServer | undefined }> {
  const original: Listen = Server.prototype.listen;
  const opened: Server[] = [];
  Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
    opened.push(this);
    Object.assign(this, { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
    const listening = args.findLast((arg) => typeof arg === 'function') as (() => void) | undefined;
    const port = typeof args[0] === 'number' ? args[0] : 0;
    return original.call(this, { host: '127.0.0.1', port }, listening);
  } as Listen;
  try {
    const capabilities = await start();
    const server = opened.at(-1);
    return { capabilities, server: server === undefined ? undefined : proxyServer(server) };
  } finally {
    Server.prototype.listen = original;
  }
}

const proxyServer = (server: Server): ProxyServer => ({
  port: (server.address() as AddressInfo).port,
  close: () => server.close(),
});
