import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Role } from '../../shared/auth/permissions.ts';
import type { CloudEvent } from '../../shared/model/cloud-event.ts';
import type { RegistryDeps } from '../../shared/registry/call.ts';
import { policyStore } from '../../shared/registry/policy/policy-store.ts';
import { recorder } from '../../shared/registry/record.ts';
import { registryHandler } from '../../shared/registry/registry.ts';
import { subscriptionStore } from '../../shared/registry/subscriptions/subscription-store.ts';
import { makeTokenKey, type TokenKeys } from '../../shared/registry/token-keys/token-key.ts';
import { registryTokens } from '../../shared/registry/tokens.ts';
import type { Blobs } from '../../shared/state/blobs.ts';
import type { Tables } from '../../shared/state/tables.ts';

/** A registry for tests: every role has a key, which is the role's name followed by `-key`. */
export interface TestRegistry {
  readonly deps: RegistryDeps;
  readonly handle: (request: Request) => Promise<Response>;
  /** Events that were passed on. */
  readonly events: CloudEvent[];
  /** Errors that were reported. */
  readonly reports: unknown[];
}

export async function testRegistry(
  storage: { blobs: Blobs; tables: Tables },
  over: Partial<RegistryDeps> = {},
): Promise<TestRegistry> {
  const key = await makeTokenKey();
  const keys: TokenKeys = { keys: async () => [key] };
  const now = over.now ?? (() => new Date());
  const events: CloudEvent[] = [];
  const reports: unknown[] = [];
  const deps: RegistryDeps = {
    ...storage,
    now,
    tokens: registryTokens(keys, now),
    credentials: {
      async check(_user, secret) {
        const role = /^(?<role>reader|deployer|operator|admin)-key$/.exec(secret)?.groups?.role;
        return role === undefined ? undefined : { id: role, roles: [role as Role] };
      },
    },
    policies: policyStore(storage.tables, now),
    recorder: recorder(storage.tables, subscriptionStore(storage.tables, now), now),
    onActivity: async ({ pushes }) => void events.push(...pushes),
    report: (error) => void reports.push(error),
    ...over,
  };
  return { deps, handle: registryHandler(deps), events, reports };
}

/** Serves a handler on a free port of 127.0.0.1, over plain HTTP. */
export async function serveHandler(
  handle: (request: Request) => Promise<Response>,
): Promise<{ host: string; close(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    exchange(handle, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function exchange(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const hasBody =
    incoming.headers['transfer-encoding'] !== undefined ||
    Number(incoming.headers['content-length'] ?? 0) > 0;
  const response = await handle(
    new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      headers,
      ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' } : {}),
    }),
  );
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) outgoing.end();
  else await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing);
}
