import { z } from 'zod';
import { route } from '../route.ts';

/** A key that signs the registry's tokens; never the key itself. */
export const TokenKeyView = z.object({
  /** As tokens and `/v2/token/jwks` name it. */
  kid: z.string(),
  madeAt: z.iso.datetime(),
  /** `next` signs as soon as every instance knows it; `previous` verifies until its last token has expired. */
  state: z.enum(['next', 'signing', 'previous']),
});
export type TokenKeyView = z.infer<typeof TokenKeyView>;

const keys = z.object({ keys: z.array(TokenKeyView) });

export const listTokenKeys = route({
  name: 'list-token-keys',
  method: 'GET',
  path: '/api/v1/registry/token-keys',
  permission: 'keys.read',
  summary: "The keys that sign the registry's tokens, newest first.",
  answer: keys,
});

export const rotateTokenKeys = route({
  name: 'rotate-token-keys',
  method: 'POST',
  path: '/api/v1/registry/token-keys',
  permission: 'keys.write',
  summary:
    "Makes a key for the registry's tokens, as happens every 30 days by itself. With `revoke` all others are removed: their tokens are refused after a minute.",
  body: { schema: z.strictObject({ revoke: z.boolean().default(false) }) },
  status: 201,
  answer: keys,
});
