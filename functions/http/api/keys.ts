import { createKey, deleteKey, type KeyView, listKeys } from '../../../shared/api/routes/keys.ts';
import type { ApiKey } from '../../../shared/auth/api-key.ts';
import { type KeyStore, keyStore } from '../../../shared/auth/key-store.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

const storeOf = ({ tables, settings }: Services): KeyStore => keyStore(tables, settings.adminKeyHash);

const viewOf = ({ hash: _, ...view }: ApiKey): KeyView => view;

export const list = endpoint(listKeys, async ({ services }) => ({
  keys: (await storeOf(services).list()).map(viewOf),
}));

export const create = endpoint(createKey, async ({ body, services }) => {
  if (body.expiresAt !== undefined && Date.parse(body.expiresAt) <= services.now().getTime())
    throw new Terminal({
      code: 'expiry-past',
      message: `The key would have expired before it is made, at ${body.expiresAt}.`,
      remedy: 'Give a time to come as expiresAt, or leave it out: the key is then good until it is revoked.',
    });
  const { text, key } = await storeOf(services).create(
    body.role,
    body.description,
    body.expiresAt,
    body.repositories,
  );
  return { text, key: viewOf(key) };
});

export const remove = endpoint(deleteKey, async ({ params, services }) => {
  const store = storeOf(services);
  // Whoever mistypes the key that leaked must not think it revoked.
  if (!(await store.list()).some(({ id }) => id === params.key))
    throw notFound(
      'key',
      params.key,
      "List them: berth keys list. The administrator's own is the deployment's: BERTH_ADMIN_KEY_SHA256.",
    );
  await store.revoke(params.key);
  return null;
});
