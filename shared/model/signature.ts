import type { z } from 'zod';

/** Name and shapes of an activity or orchestration: callers and implementation share it, so neither imports the other. */
export interface Signature<I, O> {
  /** kebab-case, unique among the app's functions. */
  readonly name: string;
  readonly input: z.ZodType<I>;
  readonly output: z.ZodType<O>;
}

/** `output` may be `z.custom<T>()` where the value is our own and needs no second check. */
export const signature = <I, O>(
  name: string,
  shapes: { input: z.ZodType<I>; output: z.ZodType<O> },
): Signature<I, O> => ({ name, ...shapes });

/** An activity was refused for good: orchestrators branch on it as data. */
export interface Refused {
  readonly outcome: 'refused';
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly details?: unknown;
}

/** What an activity answers. */
export type Outcome<T> = { readonly outcome: 'done'; readonly value: T } | Refused;
