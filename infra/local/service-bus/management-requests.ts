import type { Typed } from 'rhea';
import { z } from 'zod';
import { Refused, types } from './amqp.ts';

/** What `$management` answers: a status as in HTTP and a body. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export const ok = (body: Record<string, unknown>): Answer => ({ status: 200, body });
export const noContent: Answer = { status: 204, body: {} };

export const bytes = z.instanceof(Buffer);
/** AMQP longs come as numbers, or as 8 bytes where they are beyond 53 bits. */
export const long = z.union([z.number().int(), bytes.transform((value) => Number(value.readBigInt64BE()))]);
export const many = <T extends z.ZodType>(item: T) => z.array(item).min(1);
/** Named by a receiver that holds the session. */
export const sessionId = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);

export const array = (values: readonly number[], code: number): Typed =>
  types.wrap_array(values, code, undefined);

/** @throws Refused that names the field */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refused(
    400,
    'com.microsoft:argument-error',
    `The request's ${issue?.path.join('.') || 'body'} is wrong: ${issue?.message ?? 'unreadable'}.`,
  );
}
