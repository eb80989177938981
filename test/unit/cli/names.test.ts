import { describe, expect, it } from 'vitest';
import { findPart } from '../../../cli/names.ts';
import { parseSince } from '../../../cli/since.ts';

const known = [
  { application: 'shop', part: 'web' },
  { application: 'blog', part: 'web' },
  { application: 'blog', part: 'db' },
];

describe('names of services and jobs', () => {
  it('may leave out the application where that is enough', () => {
    expect(findPart('db', known, 'service')).toEqual({ application: 'blog', part: 'db' });
    expect(findPart('shop/web', known, 'service')).toEqual({ application: 'shop', part: 'web' });
  });

  it.each([
    ['web', 'service-ambiguous', 2, 'shop/web, blog/web'],
    ['none', 'service-not-found', 3, 'blog/db'],
    ['shop/db', 'service-not-found', 3, 'blog/db'],
    ['shop/web/0', 'service-not-found', 3, 'blog/db'],
  ])('%s: %s', (text, code, exitCode, remedy) => {
    expect(() => findPart(text, known, 'service')).toThrow(
      expect.objectContaining({ code, exitCode, remedy: expect.stringContaining(remedy) }),
    );
  });
});

describe('times', () => {
  it('keep their nanoseconds', () => {
    expect(parseSince('2026-01-01T00:00:00.123456789Z')).toBe('2026-01-01T00:00:00.123456789Z');
  });

  it('may be ages', () => {
    const [before, time] = [Date.now(), Date.parse(parseSince('10m'))];
    expect(Math.abs(before - time - 600_000)).toBeLessThan(60_000);
    expect(() => parseSince('yesterday')).toThrow();
  });
});
