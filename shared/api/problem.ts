import { ZodError, z } from 'zod';
import { TooManyRequests } from '../auth/rate-limit/too-many-requests.ts';
import { Retryable, Terminal } from '../model/errors.ts';
import { Invalid } from '../model/invalid.ts';
import { plainIssues } from '../model/plain-issues.ts';
import { BlobConflict } from '../state/blobs.ts';
import { Conflict } from '../state/tables.ts';

/** Problem details, RFC 9457, with our code, remedy and faults as extension members. */
export const Problem = z.object({
  /** `urn:berth:problem:<code>`. */
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  remedy: z.string().optional(),
  /** Only for faults of ours: what the log calls this occurrence. */
  instance: z.string().optional(),
  issues: z
    .array(
      z.object({
        path: z.string(),
        message: z.string(),
        line: z.number().int().optional(),
        column: z.number().int().optional(),
      }),
    )
    .optional(),
});
export type Problem = z.infer<typeof Problem>;

/** An error as an HTTP answer: status, headers (content type, Retry-After in seconds) and body. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly problem: Problem;
}

const answer = (
  fault: { code: string; status: number; detail: string; remedy?: string },
  rest: Pick<Problem, 'instance' | 'issues'> & { headers?: Record<string, string> } = {},
): ProblemAnswer => {
  const { headers, ...members } = rest;
  return {
    status: fault.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    problem: {
      type: `urn:berth:problem:${fault.code}`,
      title: titleOf(fault.code),
      status: fault.status,
      code: fault.code,
      detail: fault.detail,
      ...(fault.remedy === undefined ? {} : { remedy: fault.remedy }),
      ...members,
    },
  };
};

/** `image-not-found` → `Image not found`. */
const titleOf = (code: string): string => {
  const words = code.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/**
 * What an HTTP edge answers for an error. Errors that are not ours say nothing of themselves outside: only `instance`,
 * under which the caller of this function must log them.
 */
export function problemOf(error: unknown, instance: string = crypto.randomUUID()): ProblemAnswer {
  if (error instanceof Terminal) {
    const fault = { code: error.code, status: error.status, detail: error.message, remedy: error.remedy };
    if (error instanceof TooManyRequests)
      return answer(fault, { headers: { 'retry-after': String(error.afterSeconds) } });
    return answer(fault, error instanceof Invalid ? { issues: [...error.issues] } : {});
  }
  if (error instanceof ZodError) {
    const issues = plainIssues(error.issues);
    return answer(requestInvalid(issues), { issues });
  }
  if (error instanceof Retryable) {
    const headers = { 'retry-after': String(Math.max(1, Math.ceil((error.afterMs ?? 1000) / 1000))) };
    return answer(
      { code: error.code, status: 503, detail: error.message, remedy: error.remedy },
      { headers },
    );
  }
  if (error instanceof Conflict || error instanceof BlobConflict) {
    const detail = 'Others changed the same record at the same time, too often to win.';
    return answer(
      { code: 'busy', status: 503, detail, remedy: 'Send the request again.' },
      { headers: { 'retry-after': '1' } },
    );
  }
  return answer(
    {
      code: 'internal-error',
      status: 500,
      detail: 'Berth failed to answer; the reason is in its log.',
      remedy: `Look for ${instance} in the app's log.`,
    },
    { instance },
  );
}

const requestInvalid = (issues: readonly { path: string; message: string }[]) => ({
  code: 'request-invalid',
  status: 400,
  detail: `The request has ${issues.length === 1 ? 'a fault' : `${issues.length} faults`}: ${issues
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ')}`,
  remedy: 'Mend what `issues` names; /api/v1/openapi.json says what is expected.',
});

/** Whether this answer hides an error that must be logged. */
export const isHidden = (answer: ProblemAnswer): boolean => answer.problem.code === 'internal-error';
