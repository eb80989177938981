import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Terminal } from '../../../../shared/model/errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Listeners {
  /** Where they listen: a port 0 that was asked for is the chosen one here. */
  readonly addresses: readonly Address[];
  /** Takes no more connections, waits for answers under way for `graceMs`, then ends them. */
  close(graceMs: number): Promise<void>;
}

/** PEM. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** @throws Terminal if an address cannot be listened on */
export async function listen(
  addresses: readonly Address[],
  certificate: ServerCertificate | undefined,
  handle: RequestListener,
): Promise<Listeners> {
  const servers: Server[] = [];
  try {
    for (const address of addresses) servers.push(await open(address, certificate, handle));
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    addresses: servers.map((server) => {
      const { address, port } = server.address() as AddressInfo;
      return { host: address, port };
    }),
    close: async (graceMs) => {
      await Promise.all(servers.map((server) => closed(server, graceMs)));
    },
  };
}

async function open(
  { host, port }: Address,
  certificate: ServerCertificate | undefined,
  handle: RequestListener,
): Promise<Server> {
  const server =
    certificate === undefined
      ? createServer(handle)
      : createSecureServer({ cert: certificate.certificate, key: certificate.key }, handle);
  // A layer's upload may take longer than Node's 300 s; the time for headers alone stays limited.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new Terminal({
          code: 'address-not-usable',
          message: `Cannot listen on ${host}:${port}: ${cause.message}.`,
          remedy: 'Free the port, or listen elsewhere (BERTH_HOST_LISTEN).',
          cause,
        }),
      ),
    );
    server.listen({ host, port }, resolve);
  });
  return server;
}

async function closed(server: Server, graceMs: number): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await ended;
  clearTimeout(timer);
}
