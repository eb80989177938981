import type { DurableClient } from 'durable-functions';
import type { Credentials } from '../shared/auth/credentials.ts';
import type { RegistryDeps } from '../shared/registry/call.ts';
import type { Policies } from '../shared/registry/policy/policy-store.ts';
import { unsentEvents } from '../shared/registry/push-event.ts';
import { makeTokenKey, registryTokens, TokenKey } from '../shared/registry/tokens.ts';
import type { Secrets } from '../shared/secrets/secrets.ts';
import type { Blobs } from '../shared/state/blobs.ts';
import type { Tables } from '../shared/state/tables.ts';
import { acceptEvent } from './accept-event.ts';
import type { Services } from './services.ts';

/** The registry but for what belongs to one invocation. */
export type RegistryParts = Omit<RegistryDeps, 'onPushed' | 'report'>;

const TOKEN_KEY = 'registry/token-key';

/** The registry of this app: its token key is made at the first use and sealed, so all instances have the same. */
export function registryParts(from: {
  readonly blobs: Blobs;
  readonly tables: Tables;
  readonly secrets: Secrets;
  readonly credentials: Credentials;
  readonly policies: Policies;
  readonly now: () => Date;
}): RegistryParts {
  const { secrets, ...parts } = from;
  let key: Promise<TokenKey> | undefined;
  const readKey = async (): Promise<TokenKey> => {
    const make = async () => new TextEncoder().encode(JSON.stringify(await makeTokenKey()));
    const bytes = await secrets.ensure(TOKEN_KEY, make);
    return TokenKey.parse(JSON.parse(new TextDecoder().decode(bytes)));
  };
  const keys = async () => {
    key ??= readKey();
    try {
      return [await key] as const;
    } catch (error) {
      // Not kept: the next request tries again.
      key = undefined;
      throw error;
    }
  };
  return { ...parts, tokens: registryTokens({ keys }, from.now) };
}

/** Accepts the events of pushes whose own request could not; an event that fails now stays for the next time. */
export async function sweepPushes(
  made: Services,
  client: DurableClient,
  report: (error: unknown) => void,
): Promise<void> {
  for await (const unsent of unsentEvents(made.tables, made.now())) {
    try {
      await acceptEvent(made, client, unsent.event);
      await unsent.accepted();
    } catch (error) {
      report(error);
    }
  }
}
