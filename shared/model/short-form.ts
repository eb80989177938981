import { z } from 'zod';

/**
 * A mapping for which a single text or number may stand: `/tmp` for `{ target: /tmp }`. A union would say of a fault in the
 * mapping only that neither form fits.
 */
export const orShort = <T extends z.ZodType>(
  schema: T,
  type: 'string' | 'number',
  longOf: (short: string | number) => unknown,
): z.ZodType<z.output<T>> =>
  z.preprocess(
    (value) => (typeof value === type ? longOf(value as string | number) : value),
    schema,
  ) as never;
