import { deleteHook, type HookView, listHooks, putHook } from '../../../shared/api/routes/hooks.ts';
import { type Hook, proofOf } from '../../../shared/events/hooks.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

const viewOf = (hook: Hook, { settings }: Services): HookView => ({
  ...hook,
  url: `https://${settings.hostname}/api/hooks/${hook.name}`,
});

export const list = endpoint(listHooks, async ({ services }) => ({
  hooks: (await services.hooks.list()).map((hook) => viewOf(hook, services)),
}));

export const put = endpoint(putHook, async ({ params, body, services }) => {
  const before = await services.hooks.get(params.hook);
  const createdAt = before?.createdAt ?? services.now().toISOString();
  const hook: Hook = { name: params.hook, ...body, createdAt };
  const { secret } = await services.hooks.put(hook);
  const view = viewOf(hook, services);
  if (proofOf(hook) !== 'token') return { hook: view, secret };
  return { hook: view, secret, deliveryUrl: `${view.url}?token=${encodeURIComponent(secret)}` };
});

export const remove = endpoint(deleteHook, async ({ params, services }) => {
  if ((await services.hooks.get(params.hook)) === undefined)
    throw notFound('hook', params.hook, 'List them: GET /api/v1/hooks');
  await services.hooks.delete(params.hook);
  return null;
});
