import { z } from 'zod';
import type { Rate } from './bucket.ts';

/** `<requests a second>/<at once>`, for example `500/5000`; or `off`. */
export const RateSetting = z
  .string()
  .regex(/^(off|\d{1,6}(\.\d{1,3})?\/\d{1,7})$/, 'expected <requests a second>/<at once>, or off')
  .transform((text, context): Rate | undefined => {
    if (text === 'off') return undefined;
    const [perSecond = 0, burst = 0] = text.split('/').map(Number);
    if (perSecond <= 0 || burst < 1) {
      context.addIssue({
        code: 'custom',
        message: 'expected more than nothing a second, and at least one at once',
      });
      return z.NEVER;
    }
    return { perSecond, burst };
  });
