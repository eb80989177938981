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

/** Takes (pattern's length × name's length) steps at most, whatever the pattern: it comes from outside. */
export function matchesPattern(pattern: NamePattern, name: string): boolean {
  /** Which beginnings of the name the pattern so far matches, by their length. */
  let matched = Array.from({ length: name.length + 1 }, (_, length) => length === 0);
  for (let at = 0; at < pattern.length; at += 1) {
    const isWild = pattern[at] === '*';
    const crosses = isWild && pattern[at + 1] === '*';
    if (crosses) at += 1;
    const next = isWild ? matched.slice() : matched.map(() => false);
    for (let length = 1; length < next.length; length += 1) {
      const character = name[length - 1];
      if (!isWild) next[length] = matched[length - 1] === true && character === pattern[at];
      else if (next[length - 1] === true && (crosses || character !== '/')) next[length] = true;
    }
    matched = next;
  }
  return matched.at(-1) === true;
}

/** Patterns with more that is fixed come first; the order of equally fixed ones is that of their text. */
export function moreSpecificFirst(a: NamePattern, b: NamePattern): number {
  const fixed = (pattern: string): number => pattern.replaceAll('*', '').length;
  const wild = (pattern: string): number => pattern.length - fixed(pattern);
  return fixed(b) - fixed(a) || wild(a) - wild(b) || (a < b ? -1 : a > b ? 1 : 0);
}
