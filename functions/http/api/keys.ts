import { createKey, deleteKey, type KeyView, listKeys } from '../../../shared/api/routes/keys.ts';
import type { ApiKey } from '../../../shared/auth/api-key.ts';
import { type KeyStore, keyStore } from '../../../shared/auth/key-store.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';

const storeOf = ({ tables, settings }: Services): KeyStore => keyStore(tables, settings.adminKeyHash);

const viewOf = ({ hash: _, ...view }: ApiKey): KeyView => view;

export const list = endpoint(listKeys, async ({ services }) => ({
  keys: (await storeOf(services).list()).map(viewOf),
}));

export const create = endpoint(createKey, async ({ body, services }) => {
  const { text, key } = await storeOf(services).create(
    body.role,
    body.description,
    body.expiresAt,
    body.repositories,
  );
  return { text, key: viewOf(key) };
});

export const remove = endpoint(deleteKey, async ({ params, services }) => {
  await storeOf(services).revoke(params.key);
  return null;
});
