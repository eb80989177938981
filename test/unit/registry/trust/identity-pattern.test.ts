import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { matchesIdentity } from '../../../../shared/registry/trust/identity-pattern.ts';

it.each([
  ['https://a.b/c/d@main', 'https://a.b/c/d@main', true],
  ['https://a.b/*/d@*', 'https://a.b/c/d@main', true],
  ['https://a.b/*/d@*', 'https://a.b/c/x/d@main', false],
  ['https://a.b/**/d@*', 'https://a.b/c/x/d@main', true],
  ['https://a.b/**', 'https://a.bad/', false],
  ['*@example.com', 'me@example.com', true],
  ['*@example.com', 'me@example.com.evil.org', false],
  ['*@example.com', 'https://evil.org/@example.com', false],
  ['a.c', 'abc', false],
  ['', '', true],
  ['*', '', true],
  ['a+(b)?', 'a+(b)?', true],
])('%s and %s: %s', (pattern, identity, is) => {
  expect(matchesIdentity(pattern, identity)).toBe(is);
});

test('is what a regular expression says, for all that is short', () => {
  const part = fc.constantFrom('a', 'b', '/', '*', '**', '.');
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '/', '.') }),
      (parts, identity) => {
        const pattern = parts.join('').replace(/\*{3,}/g, '**');
        const source = pattern
          .split(/(\*\*|\*)/)
          .map((one) => (one === '**' ? '.*' : one === '*' ? '[^/]*' : one.replace(/[./]/g, '\\$&')))
          .join('');
        expect(matchesIdentity(pattern, identity)).toBe(new RegExp(`^${source}$`).test(identity));
      },
    ),
  );
});

test('takes no longer for what is made to take long', () => {
  expect(matchesIdentity('**a'.repeat(100), 'a'.repeat(2048))).toBe(true);
  expect(matchesIdentity(`${'**a'.repeat(100)}b`, 'a'.repeat(2048))).toBe(false);
});
