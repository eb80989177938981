import { z } from 'zod';
import { invalidRequest } from './arm-error.ts';

/** A reference to another resource. */
export const Reference = z.looseObject({ id: z.string().startsWith('/') });
export const Tags = z.record(z.string().max(512), z.string().max(256)).default({});

/** @throws ArmError InvalidRequestContent that names the member and what was expected */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalidRequest(`at '${issue?.path.join('.') || 'the body'}': ${issue?.message ?? 'not valid'}`);
}
