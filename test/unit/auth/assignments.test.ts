import { describe, expect, it } from 'vitest';
import { Assignment, principalOf } from '../../../shared/auth/entra/assignment.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import { RepositoryGrantText } from '../../../shared/auth/repository-grant.ts';
import { RepositoryName } from '../../../shared/model/image.ts';

const [user, team, other] = ['1', '2', '3'].map(
  (digit) => `${digit.repeat(8)}-aaaa-4aaa-8aaa-aaaaaaaaaaaa`,
) as [string, string, string];
const assigned = (subject: string, role: string | undefined, ...grants: string[]) =>
  Assignment.parse({
    subject,
    ...(role === undefined ? {} : { role }),
    ...(grants.length === 0 ? {} : { repositories: grants.map((text) => RepositoryGrantText.parse(text)) }),
    description: '',
    assignedAt: '2026-11-25T00:00:00Z',
  });
const caller = { objectId: user.toUpperCase(), groups: [team], appRoles: ['Pusher'] };

describe('what assignments come to', () => {
  it('nothing, where none is his', () => {
    const others = [
      assigned(`principal:${other}`, 'admin'),
      assigned(`group:${user}`, 'admin'),
      assigned('role:pusher', 'admin'),
    ];
    expect(principalOf(caller, others)).toEqual({ id: caller.objectId, roles: [] });
  });

  it('roles add up, of himself, of groups and of app roles', () => {
    const all = [
      assigned(`principal:${user}`, 'reader'),
      assigned(`group:${team}`, 'deployer'),
      assigned('role:Pusher', 'reader'),
    ];
    expect(principalOf(caller, all)).toEqual({ id: caller.objectId, roles: ['reader', 'deployer'] });
  });

  it('grants add up, and take nothing from a role that has none', () => {
    const name = (text: string) => RepositoryName.parse(text);
    const granted = principalOf(caller, [assigned(`group:${team}`, 'reader', 'team/**=push', 'a=delete')]);
    expect([mayOn(granted, name('team/x'), 'push'), mayOn(granted, name('team/x'), 'pull')]).toEqual([
      true,
      false,
    ]);
    const both = principalOf(caller, [
      assigned(`group:${team}`, undefined, 'team/**=push'),
      assigned(`principal:${user}`, 'reader'),
    ]);
    expect(both.roles).toEqual(['reader']);
    expect(
      [
        [name('team/x'), 'push'],
        [name('team/x'), 'pull'],
        [name('other'), 'pull'],
        [name('other'), 'push'],
      ].map(([repository, action]) => mayOn(both, repository as RepositoryName, action as 'pull')),
    ).toEqual([true, true, true, false]);
  });

  it.each([
    ['no subject', 'user:x', 'reader'],
    ['an object id that is none', 'principal:x', 'reader'],
    ['neither role nor grants', `principal:${user}`, undefined],
  ])('%s is refused', (_what, subject, role) => {
    expect(() => assigned(subject, role)).toThrow();
  });
});
