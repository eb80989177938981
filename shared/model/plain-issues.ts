import type { z } from 'zod';
import { withoutSafeRange } from './safe-range.ts';

/** One fault: where, as keys joined by dots, and what was expected there. */
interface PlainIssue {
  readonly path: string;
  readonly message: string;
}

/**
 * Zod's issues with those of unions told: of what may be written in several ways, the faults of the way that is nearest, the one
 * with the fewest; of ways that are equally near and have one fault each at the same place, all that was expected.
 */
export const plainIssues = (issues: readonly z.core.$ZodIssue[]): PlainIssue[] =>
  withoutSafeRange(issues).flatMap(told);

/** What was expected, without the name that Zod has for the kind of fault. */
export function plainMessage({ message }: z.core.$ZodIssue): string {
  const [, kinds] = /^Invalid discriminator value\. Expected (.*)$/.exec(message) ?? [];
  if (kinds !== undefined) return `expected one of ${kinds.replaceAll("'", '').split(' | ').join(', ')}`;
  return message.replace(/^(Invalid input|Invalid option|Invalid string|Too small|Too big): /, '');
}

function told(issue: z.core.$ZodIssue): readonly PlainIssue[] {
  const path = issue.path.map(String).join('.');
  const ways = issue.code === 'invalid_union' ? issue.errors.map(plainIssues) : [];
  const fewest = Math.min(...ways.map(({ length }) => length));
  const [first, ...others] = ways.filter(({ length }) => length === fewest);
  if (first === undefined) return [{ path, message: plainMessage(issue) }];
  const within = (inner: string): string => [path, inner].filter(Boolean).join('.');
  const isSame = first.length === 1 && others.every(([other]) => other?.path === first[0]?.path);
  return isSame
    ? [
        {
          path: within(first[0]?.path ?? ''),
          message: [...new Set([first, ...others].map(([one]) => one?.message ?? ''))].join('; or: '),
        },
      ]
    : first.map((one) => ({ path: within(one.path), message: one.message }));
}
