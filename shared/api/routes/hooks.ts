import { z } from 'zod';
import { Command } from '../../model/command.ts';
import { HookName } from '../../model/names.ts';
import { route } from '../route.ts';

export const HookView = z.object({
  name: HookName,
  /** How deliveries are signed: https://www.standardwebhooks.com, or GitHub's X-Hub-Signature-256. */
  signature: z.enum(['standard-webhooks', 'github']),
  /** What each delivery asks for. */
  command: Command,
  createdAt: z.iso.datetime(),
  /** Where the sender posts. */
  url: z.string(),
});
export type HookView = z.infer<typeof HookView>;

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
  summary: 'Makes or changes a hook. Answers the secret that the sender signs with; it stays the same.',
  params: one,
  body: { schema: z.strictObject({ signature: HookView.shape.signature, command: Command }) },
  answer: z.object({ hook: HookView, secret: z.string() }),
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
