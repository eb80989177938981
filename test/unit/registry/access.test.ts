import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../../shared/auth/credentials.ts';
import { Role } from '../../../shared/auth/permissions.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import { RepositoryAction, type RepositoryGrant } from '../../../shared/auth/repository-grant.ts';
import { RepositoryName } from '../../../shared/model/image.ts';
import { NamePattern } from '../../../shared/model/pattern.ts';
import { allows, grant, isListed, type Need, scopeOf } from '../../../shared/registry/access.ts';

const names = fc
  .constantFrom('a', 'a/b', 'team/web', 'team/web/x', 'other')
  .map((text) => RepositoryName.parse(text));
const patterns = fc
  .constantFrom('**', '*', 'a', 'a/*', 'team/**', 'nothing')
  .map((text) => NamePattern.parse(text));
const grants: fc.Arbitrary<RepositoryGrant[]> = fc.array(
  fc.record({
    repositories: patterns,
    actions: fc.uniqueArray(fc.constantFrom(...RepositoryAction.options), { minLength: 1 }),
  }),
);
const principals: fc.Arbitrary<Principal | undefined> = fc.option(
  fc.record({
    id: fc.constant('k'),
    roles: fc.uniqueArray(fc.constantFrom(...Role.options)),
    repositories: fc.option(grants, { nil: undefined }),
  }),
  { nil: undefined },
);
const scopes = fc.array(
  fc.oneof(
    fc
      .tuple(
        names,
        fc.array(fc.constantFrom('pull', 'push', 'delete', 'admin', '*', 'own'), { minLength: 1 }),
      )
      .map(([name, actions]) => `repository:${name}:${actions.join(',')}`),
    fc.constantFrom(
      'registry:catalog:*',
      'registry:catalog:delete',
      'repository:*:pull',
      'repository:a:b:pull',
      'x',
    ),
    fc.string(),
  ),
);
const actions = ['pull', 'push', 'delete'] as const;

describe('what a token gives', () => {
  it('is what was asked for and what its caller may, or what is public, and never more', async () => {
    await fc.assert(
      fc.asyncProperty(principals, scopes, fc.uniqueArray(names), async (principal, asked, open) => {
        const access = await grant(principal, asked, async (name) => open.includes(name));
        for (const name of ['a', 'a/b', 'team/web', 'team/web/x', 'other'].map((text) =>
          RepositoryName.parse(text),
        ))
          for (const action of actions) {
            const isAsked = asked.some((scope) => {
              const [type, of, list = ''] = scope.split(':');
              const wanted = list.split(',');
              return (
                type === 'repository' &&
                of === name &&
                scope.split(':').length === 3 &&
                (wanted.includes(action) || wanted.includes('*'))
              );
            });
            const may = mayOn(principal, name, action) || (action === 'pull' && open.includes(name));
            expect(allows(access, { kind: 'repository', name, action }), `${name} ${action}`).toBe(
              isAsked && may,
            );
          }
        for (const name of ['a', 'team/web', 'other'].map((text) => RepositoryName.parse(text)))
          if (isListed(access, name)) expect(mayOn(principal, name, 'pull')).toBe(true);
        if (principal === undefined) expect(allows(access, { kind: 'catalog' })).toBe(false);
      }),
    );
  });

  it('is what the challenge of a route names', async () => {
    const admin: Principal = { id: 'admin', roles: ['admin'] };
    const name = RepositoryName.parse('a/b');
    const needs: Need[] = [
      { kind: 'catalog' },
      ...actions.map((action): Need => ({ kind: 'repository', name, action })),
    ];
    for (const need of needs) {
      const access = await grant(admin, [scopeOf(need) ?? ''], async () => false);
      expect(allows(access, need)).toBe(true);
    }
  });
});
