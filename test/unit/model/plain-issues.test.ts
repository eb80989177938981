import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { plainIssues } from '../../../shared/model/plain-issues.ts';

const schema = z.object({
  command: z.discriminatedUnion('type', [
    z.object({ type: z.literal('scale'), replicas: z.number().max(9) }),
    z.object({ type: z.literal('restart') }),
  ]),
  mode: z.enum(['fast', 'slow']).default('fast'),
});

describe('faults in words', () => {
  it.each([
    [{ command: { type: 'stop' } }, 'command.type: expected one of scale, restart'],
    [{ command: {} }, 'command.type: expected one of scale, restart'],
    [{ command: { type: 'scale', replicas: '3' } }, 'command.replicas: expected number, received string'],
    [{ command: { type: 'scale', replicas: 10 } }, 'command.replicas: expected number to be <=9'],
    [{ command: { type: 'restart' }, mode: 'odd' }, 'mode: expected one of "fast"|"slow"'],
  ])('%j', (value, expected) => {
    const issues = plainIssues(schema.safeParse(value).error?.issues ?? []);
    expect(issues.map(({ path, message }) => `${path}: ${message}`)).toEqual([expected]);
  });
});
