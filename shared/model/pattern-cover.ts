import { matchesPattern, type NamePattern } from './pattern.ts';

/**
 * Whether every name that `narrow` matches is certainly matched by `wide` too. Says no where that takes more than a look at
 * what is fixed before the first wildcard.
 */
export function coversPattern(wide: NamePattern, narrow: NamePattern): boolean {
  if (wide === narrow) return true;
  if (!narrow.includes('*')) return matchesPattern(wide, narrow);
  const fixed = wide.slice(0, -2);
  return wide.endsWith('**') && !fixed.includes('*') && narrow.startsWith(fixed);
}
