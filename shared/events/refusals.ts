import { z } from 'zod';
import { documents } from '../state/documents.ts';
import { tableKey } from '../state/key.ts';
import type { Tables } from '../state/tables.ts';

/** Why a message was refused, kept beside it: neither queue carries a reason that the app could write into it. */
export const Refusal = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
  at: z.iso.datetime(),
});
export type Refusal = z.infer<typeof Refusal>;

export interface Refusals {
  record(queue: string, messageId: string, refusal: Refusal): Promise<void>;
  of(queue: string, messageId: string): Promise<Refusal | undefined>;
  forget(queue: string, messageId: string): Promise<void>;
}

export function refusals(tables: Tables): Refusals {
  const kept = documents(tables, 'refusals', Refusal);
  return {
    async record(queue, messageId, refusal) {
      await kept.upsert(tableKey(queue), tableKey(messageId), refusal);
    },
    of: async (queue, messageId) => (await kept.get(tableKey(queue), tableKey(messageId)))?.value,
    forget: (queue, messageId) => kept.delete(tableKey(queue), tableKey(messageId)),
  };
}
