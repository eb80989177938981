import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorise, authoriseOn, authoriseOnEvery } from '../../../shared/auth/authorise.ts';
import { authoriseNamed } from '../../../shared/auth/authorise-named.ts';
import type { Principal } from '../../../shared/auth/credentials.ts';
import { may, mayOn, mayOnEvery, patternsFor } from '../../../shared/auth/repository-access.ts';
import {
  grantText,
  RepositoryAction,
  type RepositoryGrant,
  RepositoryGrantText,
} from '../../../shared/auth/repository-grant.ts';
import { RepositoryName } from '../../../shared/model/image.ts';
import { matchesPattern, NamePattern } from '../../../shared/model/pattern.ts';
import { coversPattern } from '../../../shared/model/pattern-cover.ts';

const name = (text: string) => RepositoryName.parse(text);
const holder = (...grants: string[]): Principal => ({
  id: 'k',
  roles: ['operator'],
  repositories: grants.map((text) => RepositoryGrantText.parse(text)),
});
const part = fc.constantFrom('a', 'b', 'ab', 'a-b');
const names = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => name(parts.join('/')));
const patterns = fc
  .array(fc.constantFrom('a', 'b', '-', '/', '*', '**'), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''))
  .filter((text) => !text.includes('***'))
  .map((text) => NamePattern.parse(text));
const grants = fc.array(
  fc.record({
    repositories: patterns,
    actions: fc.uniqueArray(fc.constantFrom(...RepositoryAction.options), { minLength: 1 }),
  }),
);

describe('what a caller may do with repositories', () => {
  it('is what the role gives, without grants', () => {
    const actionsOf = (principal: Principal) =>
      RepositoryAction.options.filter((action) => mayOn(principal, name('a'), action));
    expect(actionsOf({ id: 'k', roles: [] })).toEqual([]);
    expect(actionsOf({ id: 'k', roles: ['reader'] })).toEqual(['pull']);
    expect(actionsOf({ id: 'k', roles: ['deployer'] })).toEqual(['pull', 'push']);
    expect(actionsOf({ id: 'k', roles: ['operator'] })).toEqual(['pull', 'push', 'delete']);
    expect(actionsOf({ id: 'k', roles: ['admin'] })).toEqual(['pull', 'push', 'delete', 'admin']);
    expect(mayOn(undefined, name('a'), 'pull')).toBe(false);
  });

  it('is what the grants give and no more, whatever the role', () => {
    const key = holder('team/**=pull,push', 'mine=admin');
    expect(mayOn(key, name('team/web'), 'push')).toBe(true);
    expect(mayOn(key, name('team/web'), 'delete')).toBe(false);
    expect(mayOn(key, name('teams/web'), 'pull')).toBe(false);
    for (const action of RepositoryAction.options) expect(mayOn(key, name('mine'), action)).toBe(true);
    expect(patternsFor(key, 'pull')).toEqual(['team/**', 'mine']);
    expect(patternsFor({ id: 'k', roles: ['reader'] }, 'pull')).toBeUndefined();
    expect([
      may(key, 'images.admin'),
      may(holder('a=pull'), 'images.push'),
      may(holder(), 'images.pull'),
    ]).toEqual([true, false, false]);
    expect(may(holder(), 'hooks.write')).toBe(true);
  });

  it('never exceeds what some grant says', () => {
    fc.assert(
      fc.property(grants, names, fc.constantFrom(...RepositoryAction.options), (held, repository, action) => {
        const principal: Principal = { id: 'k', roles: ['admin'], repositories: held as RepositoryGrant[] };
        const expected = held.some(
          ({ repositories, actions }) =>
            matchesPattern(repositories, repository) &&
            (actions.includes(action) || actions.includes('admin')),
        );
        expect(mayOn(principal, repository, action)).toBe(expected);
        if (expected) expect(may(principal, `images.${action}`)).toBe(true);
      }),
    );
  });

  it('with a pattern is given only where it is for every name of the pattern', () => {
    expect(mayOnEvery(holder('team/**=admin'), NamePattern.parse('team/web/*'), 'admin')).toBe(true);
    expect(mayOnEvery(holder('team/**=admin'), NamePattern.parse('team**'), 'admin')).toBe(false);
    expect(mayOnEvery(holder('**=push'), NamePattern.parse('**'), 'admin')).toBe(false);
    const fixed = fc.tuple(patterns, fc.nat(6)).map(([narrow, length]) => {
      const wide = NamePattern.safeParse(`${narrow.slice(0, length)}**`).data;
      return [wide ?? NamePattern.parse('a**'), narrow] as const;
    });
    fc.assert(
      fc.property(fc.oneof(fixed, fc.tuple(patterns, patterns)), names, ([wide, narrow], repository) => {
        if (coversPattern(wide, narrow) && matchesPattern(narrow, repository))
          expect(matchesPattern(wide, repository)).toBe(true);
      }),
    );
  });

  it('is refused with 403, in the same words whether the repository is there or not', () => {
    const key = holder('team/**=pull');
    for (const refused of [
      () => authorise(key, 'images.push'),
      () => authoriseOn(key, name('other'), 'pull'),
      () => authoriseOnEvery(key, NamePattern.parse('**'), 'admin'),
    ])
      expect(refused).toThrow(expect.objectContaining({ status: 403, code: 'forbidden' }));
    expect(() => authoriseOn(key, name('team/a'), 'pull')).not.toThrow();
  });

  it('is checked on whatever repository a request names, and a route that names none is closed', () => {
    const key = holder('team/**=pull');
    const route = { permission: 'images.pull' } as const;
    expect(() => authoriseNamed(key, route, [{ repository: 'team/a' }, {}, undefined])).not.toThrow();
    expect(() => authoriseNamed(key, route, [{}, { repository: 'other' }, undefined])).toThrow(
      'may not pull other',
    );
    expect(() => authoriseNamed(key, route, [{}, {}, undefined])).toThrow('all of them');
    expect(() => authoriseNamed(key, { ...route, mindsGrants: true }, [{}, {}])).not.toThrow();
    expect(() => authoriseNamed(key, { permission: 'status.read' }, [{}])).not.toThrow();
    expect(() => authoriseNamed({ id: 'k', roles: ['reader'] }, route, [{}])).not.toThrow();
  });
});

describe('the text of a grant', () => {
  it('is read as it is written', () => {
    const grant = RepositoryGrantText.parse('team/**=pull,push');
    expect(grant).toEqual({ repositories: 'team/**', actions: ['pull', 'push'] });
    expect(grantText(grant)).toBe('team/**=pull,push');
  });

  it.each(['team', 'team=', '=pull', 'team=own', 'te am=pull', 'a=pull=push'])('%s is refused', (text) => {
    expect(RepositoryGrantText.safeParse(text).success).toBe(false);
  });
});
