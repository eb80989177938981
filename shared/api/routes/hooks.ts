import { z } from 'zod';
import { CommandHook, PushHook } from '../../events/hooks.ts';
import { HookName } from '../../model/names.ts';
import { route } from '../route.ts';

/** Where the sender posts. */
const url = z.string();
/** `signature`: https://www.standardwebhooks.com, or GitHub's X-Hub-Signature-256. `command`: what each delivery asks for. */
export const HookView = z.union([CommandHook.extend({ url }), PushHook.extend({ url })]);
export type HookView = z.infer<typeof HookView>;

/** A command for each delivery, or pushes to a registry elsewhere, in the shape of who sends them. */
const Spec = z.union([
  z.strictObject({ pushes: PushHook.shape.pushes }),
  z.strictObject({ signature: CommandHook.shape.signature, command: CommandHook.shape.command }),
]);

const one = z.object({ hook: HookName });

export const listHooks = route({
  name: 'list-hooks',
  method: 'GET',
  path: '/api/v1/hooks',
  permission: 'hooks.read',
  summary: 'Addresses for webhooks, without their secrets.',
  answer: z.object({ hooks: z.array(HookView) }),
});

export const putHook = route({
  name: 'put-hook',
  method: 'PUT',
  path: '/api/v1/hooks/{hook}',
  permission: 'hooks.write',
  summary:
    'Makes or changes a hook. Answers the secret that the sender signs with, or posts; it stays the same.',
  params: one,
  body: { schema: Spec },
  answer: z.object({
    hook: HookView,
    secret: z.string(),
    /** For senders that sign nothing: the address with the secret in it. */
    deliveryUrl: z.string().optional(),
  }),
});

export const deleteHook = route({
  name: 'delete-hook',
  method: 'DELETE',
  path: '/api/v1/hooks/{hook}',
  permission: 'hooks.write',
  summary: 'Removes a hook: its deliveries are refused from now on.',
  params: one,
  status: 204,
  answer: z.null(),
});
