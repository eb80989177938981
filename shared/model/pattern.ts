import { z } from 'zod';
import type { Brand } from './brand.ts';

/**
 * A pattern of names, repositories' or tags': `*` stands for any characters but `/`, `**` for any at all; everything else is
 * itself. `team/*` is what lies directly below `team`, `team/**` all below it, `v*` all tags that begin so.
 */
export type NamePattern = Brand<string, 'NamePattern'>;
export const NamePattern = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9._\-/*]+$/, 'expected letters, digits, . _ - / and the wildcards * and **')
  .refine((text) => !text.includes('***'), 'expected at most two * in a row')
  .transform((text) => text as NamePattern);

export function matchesPattern(pattern: NamePattern, name: string): boolean {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.\-/]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`, 's').test(name);
}

/** Patterns with more that is fixed come first; the order of equally fixed ones is that of their text. */
export function moreSpecificFirst(a: NamePattern, b: NamePattern): number {
  const fixed = (pattern: string): number => pattern.replaceAll('*', '').length;
  const wild = (pattern: string): number => pattern.length - fixed(pattern);
  return fixed(b) - fixed(a) || wild(a) - wild(b) || (a < b ? -1 : a > b ? 1 : 0);
}
