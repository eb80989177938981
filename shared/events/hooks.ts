import { z } from 'zod';
import { Command } from '../model/command.ts';
import { HookName } from '../model/names.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { documents } from '../state/documents.ts';
import type { Tables } from '../state/tables.ts';
import { PushSender, RegistryHost } from './pushes/outside-push.ts';
import { newWebhookSecret } from './standard-webhooks.ts';
import type { Proof } from './verify-delivery.ts';

const common = { name: HookName, createdAt: z.iso.datetime() };

/** Each of its deliveries gives one command. */
export const CommandHook = z.object({
  ...common,
  signature: z.enum(['standard-webhooks', 'github']),
  command: Command,
});

/** Its deliveries tell of pushes to a registry elsewhere. */
export const PushHook = z.object({
  ...common,
  pushes: z.strictObject({
    from: PushSender,
    /** Host of the registry where the sender does not say it, or says another than references have. */
    host: RegistryHost.optional(),
  }),
});

/** A webhook address: how its deliveries prove themselves, and what becomes of them. */
export const Hook = z.union([CommandHook, PushHook]);
export type Hook = z.infer<typeof Hook>;

/** What deliveries to a hook must carry. */
export function proofOf(hook: Hook): Proof {
  if ('command' in hook) return hook.signature;
  return hook.pushes.from === 'github' ? 'github' : 'token';
}

export interface HookStore {
  get(name: string): Promise<Hook | undefined>;
  list(): Promise<Hook[]>;
  /** Makes or replaces the hook; its secret stays the same once made, and is returned in the form the sender wants. */
  put(hook: Hook): Promise<{ readonly secret: string }>;
  delete(name: string): Promise<void>;
  /** Secrets that deliveries may be signed with; none of a hook that was never made. */
  secretsOf(name: string): Promise<readonly string[]>;
}

const recordOf = (name: string): string => `hooks/${name}`;

export function hookStore(tables: Tables, secrets: Secrets): HookStore {
  const hooks = documents(tables, 'hooks', Hook);
  const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const secretOf = async (name: string): Promise<string> =>
    textOf(await secrets.ensure(recordOf(name), async () => new TextEncoder().encode(newWebhookSecret())));
  return {
    get: async (name) => (await hooks.get('hook', name))?.value,
    async list() {
      const found: Hook[] = [];
      for await (const { value } of hooks.list({ partition: 'hook' })) found.push(value);
      return found;
    },
    async put(hook) {
      const secret = await secretOf(hook.name);
      await hooks.upsert('hook', hook.name, hook);
      return { secret };
    },
    async delete(name) {
      await hooks.delete('hook', name);
      await secrets.remove(recordOf(name));
    },
    async secretsOf(name) {
      const found = await secrets.open(recordOf(name));
      return found === undefined ? [] : [textOf(found)];
    },
  };
}
