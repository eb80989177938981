import { listTokenKeys, rotateTokenKeys, type TokenKeyView } from '../../../shared/api/routes/token-keys.ts';
import { kidOf } from '../../../shared/registry/token-keys/token-key.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';

async function keysOf({ tokenKeys }: Services): Promise<{ keys: TokenKeyView[] }> {
  const kept = await tokenKeys.list();
  const [signing] = kept;
  const views = kept.map(async (key): Promise<TokenKeyView> => {
    const state = key === signing ? 'signing' : key.madeAt > (signing?.madeAt ?? 0) ? 'next' : 'previous';
    return { kid: await kidOf(key.jwk), madeAt: key.madeAt.toISOString(), state };
  });
  return { keys: (await Promise.all(views)).sort((a, b) => (a.madeAt < b.madeAt ? 1 : -1)) };
}

export const list = endpoint(listTokenKeys, async ({ services }) => keysOf(services));

export const rotate = endpoint(rotateTokenKeys, async ({ body, services }) => {
  if (body.revoke) await services.tokenKeys.replaceAll();
  else await services.tokenKeys.rotate();
  return keysOf(services);
});
