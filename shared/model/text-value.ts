import { z } from 'zod';

/**
 * A text that YAML may take for something else: `PORT: 80` and `DEBUG: true` are the texts that they look like. What looks like
 * no text, a list or nothing at all, is refused.
 */
export const TextValue = z
  .union([z.string(), z.number(), z.boolean()], {
    error: 'expected a text, a number or a boolean ("" for an empty one)',
  })
  .transform(String);
