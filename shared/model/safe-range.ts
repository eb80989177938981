import type { z } from 'zod';

/**
 * Faults without those of the range of whole numbers that JavaScript knows exactly, where the field's own range is missed too:
 * that is the one to tell.
 */
export const withoutSafeRange = (issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] =>
  issues.filter(
    (issue) =>
      !isOfSafeRange(issue) ||
      !issues.some(
        (other) =>
          other.code === issue.code && !isOfSafeRange(other) && other.path.join('.') === issue.path.join('.'),
      ),
  );

const isOfSafeRange = (issue: z.core.$ZodIssue): boolean =>
  (issue.code === 'too_big' && issue.maximum === Number.MAX_SAFE_INTEGER) ||
  (issue.code === 'too_small' && issue.minimum === Number.MIN_SAFE_INTEGER);
