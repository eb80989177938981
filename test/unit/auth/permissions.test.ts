import { describe, expect, it } from 'vitest';
import { authorise } from '../../../shared/auth/authorise.ts';
import { allows, permissions, Role, roleFor } from '../../../shared/auth/permissions.ts';

describe('permissions', () => {
  it.each(permissions)('%s is held by its least role and those above, by nobody else', (permission) => {
    const least = roleFor(permission);
    for (const role of Role.options) {
      const expected = least === undefined || Role.options.indexOf(role) >= Role.options.indexOf(least);
      expect(allows([role], permission), role).toBe(expected);
    }
    expect(allows([], permission)).toBe(least === undefined);
  });

  it('tells the unknown caller from the one who may not', () => {
    expect(() => authorise(undefined, 'status.read')).toThrow(expect.objectContaining({ status: 401 }));
    expect(() => authorise({ id: 'k', roles: ['reader'] }, 'jobs.run')).toThrow(
      expect.objectContaining({ status: 403, message: expect.stringContaining('deployer') }),
    );
    expect(() => authorise({ id: 'k', roles: ['deployer'] }, 'jobs.run')).not.toThrow();
    expect(() => authorise(undefined, 'anyone')).not.toThrow();
  });
});
