import type { Handle } from '../../infra/registry/exchange.ts';
import { serve } from '../../infra/registry/serve.ts';
import type { Role } from '../../shared/auth/permissions.ts';
import type { CloudEvent } from '../../shared/model/cloud-event.ts';
import type { RegistryDeps } from '../../shared/registry/call.ts';
import { policyStore } from '../../shared/registry/policy/policy-store.ts';
import { recorder } from '../../shared/registry/record.ts';
import { registryHandler } from '../../shared/registry/registry.ts';
import { subscriptionStore } from '../../shared/registry/subscriptions/subscription-store.ts';
import { makeTokenKey, type TokenKeys } from '../../shared/registry/token-keys/token-key.ts';
import { type RegistryTokens, registryTokens } from '../../shared/registry/tokens.ts';
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
  const now = over.now ?? (() => new Date());
  const events: CloudEvent[] = [];
  const reports: unknown[] = [];
  const deps: RegistryDeps = {
    ...storage,
    now,
    tokens: over.tokens ?? (await testTokens(now)),
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

/** Tokens of a key of their own. */
export async function testTokens(now: () => Date = () => new Date()): Promise<RegistryTokens> {
  const key = await makeTokenKey();
  const keys: TokenKeys = { keys: async () => [key] };
  return registryTokens(keys, now);
}

/** Serves a handler on a free port of 127.0.0.1, over plain HTTP, as the lone registry is served. */
export async function serveHandler(handle: Handle): Promise<{ host: string; close(): Promise<void> }> {
  const { port, close } = await serve(handle, { address: '127.0.0.1', port: 0 });
  return { host: `127.0.0.1:${port}`, close };
}
