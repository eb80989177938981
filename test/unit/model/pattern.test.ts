import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RepositoryName } from '../../../shared/model/image.ts';
import { matchesPattern, moreSpecificFirst, NamePattern } from '../../../shared/model/pattern.ts';
import { effectivePolicy } from '../../../shared/registry/policy/effective.ts';
import { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';

const pattern = (text: string): NamePattern => NamePattern.parse(text);

describe('a pattern of names', () => {
  test.each([
    ['team/web', 'team/web', true],
    ['team/web', 'team/web2', false],
    ['team/*', 'team/web', true],
    ['team/*', 'team/web/api', false],
    ['team/**', 'team/web/api', true],
    ['team/**', 'team', false],
    ['**', 'any/thing', true],
    ['v1.*', 'v1.2', true],
    ['v1.*', 'v102', false],
    ['*-rc*', '1.0-rc1', true],
  ])('%s and %s: %s', (text, name, matches) => {
    expect(matchesPattern(pattern(text), name)).toBe(matches);
  });

  test.each(['', 'a b', '***', 'a\nb', '(a+)+'])('%j is none', (text) => {
    expect(NamePattern.safeParse(text).success).toBe(false);
  });

  test('matches what the regular expression of its meaning matches', () => {
    const part = fc.constantFrom('a', 'b', '.', '/', '-');
    const patterns = fc
      .array(fc.oneof(part, fc.constantFrom('*', '**')), { minLength: 1, maxLength: 12 })
      .map((parts) => parts.join(''))
      .filter((text) => NamePattern.safeParse(text).success);
    const names = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(patterns, names, (text, name) => {
        const source = text
          .replace(/[./-]/g, '\\$&')
          .replace(/\*\*|\*/g, (wild) => (wild === '**' ? '[^]*' : '[^/]*'));
        expect(matchesPattern(pattern(text), name)).toBe(new RegExp(`^${source}$`).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test('the longest pattern of wildcards takes no longer than another', () => {
    const text = '**a'.repeat(85);
    expect(matchesPattern(pattern(text), `${'a'.repeat(254)}b`)).toBe(false);
  });

  test('what has more that is fixed comes first', () => {
    const all = ['**', 'team/**', 'team/*', 'team/web'].map(pattern);
    expect([...all].sort(moreSpecificFirst)).toEqual(['team/web', 'team/*', 'team/**', '**']);
  });
});

test('each setting of a repository comes from the most specific policy that has it', () => {
  const policy = (value: unknown): RepositoryPolicy => RepositoryPolicy.parse(value);
  const policies = [
    policy({ repositories: '**', quota: 10, anonymousPull: true }),
    policy({ repositories: 'team/**', quota: 20 }),
    policy({ repositories: 'team/web', anonymousPull: false, restorableForDays: 0 }),
    policy({ repositories: 'other', quota: 1 }),
  ];
  expect(effectivePolicy(policies, RepositoryName.parse('team/web'))).toEqual({
    anonymousPull: false,
    immutableTags: [],
    quota: 20,
    retention: [],
    restorableForDays: 0,
    trust: [],
  });
});
