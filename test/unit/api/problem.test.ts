import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isHidden, Problem, problemOf } from '../../../shared/api/problem.ts';
import { Retryable, Terminal } from '../../../shared/model/errors.ts';
import { Invalid } from '../../../shared/model/invalid.ts';
import { BlobConflict } from '../../../shared/state/blobs.ts';
import { Conflict } from '../../../shared/state/tables.ts';

describe('problem details', () => {
  it('say code, status and remedy of what the caller must change', () => {
    const answer = problemOf(
      new Terminal({ code: 'job-not-found', message: 'No job x', remedy: 'List them', status: 404 }),
    );
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.problem).toEqual({
      type: 'urn:berth:problem:job-not-found',
      title: 'Job not found',
      status: 404,
      code: 'job-not-found',
      detail: 'No job x',
      remedy: 'List them',
    });
  });

  it('name the place of each fault', () => {
    const issues = [{ path: 'services.web.port', message: 'expected a number', line: 4, column: 11 }];
    const answer = problemOf(new Invalid({ code: 'application-invalid', message: 'm', remedy: 'r', issues }));
    expect(answer.problem.issues).toEqual(issues);
  });

  it('tell of what may be written in several ways what is wrong with the nearest', () => {
    const schema = z.object({
      hook: z.union([
        z.strictObject({ from: z.enum(['a', 'b']) }),
        z.strictObject({ signature: z.string(), command: z.string() }),
      ]),
      ids: z.union([z.literal('all'), z.array(z.string())]),
    });
    const { error } = schema.safeParse({ hook: { from: 'c' }, ids: 5 });
    expect(problemOf(error).problem.issues).toEqual([
      { path: 'hook.from', message: expect.stringContaining('expected one of "a"|"b"') },
      { path: 'ids', message: expect.stringMatching(/expected "all".*or: .*expected array/) },
    ]);
  });

  it('turn a failed schema into 400 with paths', () => {
    const parsed = z.strictObject({ tail: z.number(), deep: z.object({ a: z.string() }) }).safeParse({
      tail: 'x',
      deep: {},
    });
    const answer = problemOf(parsed.error);
    expect(answer.status).toBe(400);
    expect(answer.problem.issues?.map((issue) => issue.path)).toEqual(['tail', 'deep.a']);
  });

  it('ask to come again after whole seconds', () => {
    const answer = problemOf(
      new Retryable({ code: 'engine-unreachable', message: 'm', remedy: 'r', afterMs: 1200 }),
    );
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2']);
    for (const busy of [new Conflict('changed', 't/p/r'), new BlobConflict('b')])
      expect(problemOf(busy)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  it('hide what they do not know', () => {
    const answer = problemOf(new Error('password=hunter2'), 'id-1');
    expect([answer.status, isHidden(answer), answer.problem.instance]).toEqual([500, true, 'id-1']);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(Problem.parse(answer.problem)).toEqual(answer.problem);
  });
});
