import { z } from 'zod';
import type { Principal } from '../auth/credentials.ts';
import { allows as mayDo } from '../auth/permissions.ts';
import { RepositoryName } from '../model/image.ts';

/** A token's claim: https://distribution.github.io/distribution/spec/auth/jwt/ ("access"). */
export const Access = z.object({
  type: z.enum(['repository', 'registry']),
  name: z.string(),
  actions: z.array(z.enum(['pull', 'push', 'delete', '*'])),
});
export type Access = z.infer<typeof Access>;

/** What a route asks of the caller. */
export type Need =
  | { readonly kind: 'token' }
  | { readonly kind: 'catalog' }
  | {
      readonly kind: 'repository';
      readonly name: RepositoryName;
      readonly action: 'pull' | 'push' | 'delete';
    };

export function allows(access: readonly Access[], need: Need): boolean {
  switch (need.kind) {
    case 'token':
      return true;
    case 'catalog':
      return access.some(({ type, name, actions }) => {
        return type === 'registry' && name === 'catalog' && actions.includes('*');
      });
    case 'repository':
      return access.some(({ type, name, actions }) => {
        return type === 'repository' && name === need.name && actions.includes(need.action);
      });
  }
}

/** Scope that a client must ask for: https://distribution.github.io/distribution/spec/auth/scope/ */
export function scopeOf(need: Need): string | undefined {
  switch (need.kind) {
    case 'token':
      return undefined;
    case 'catalog':
      return 'registry:catalog:*';
    case 'repository':
      // Who pushes also asks what is there already.
      return `repository:${need.name}:${need.action === 'push' ? 'pull,push' : need.action}`;
  }
}

const permissionOf = { pull: 'images.pull', push: 'images.push', delete: 'images.delete' } as const;
const actions = ['pull', 'push', 'delete'] as const;

/** What of the requested scopes the caller gets: those that are not known or not his are left out, as clients expect. */
export function grant(principal: Principal, scopes: readonly string[]): readonly Access[] {
  const allowed = actions.filter((action) => mayDo(principal.roles, permissionOf[action]));
  return scopes.flatMap((scope): Access[] => {
    if (scope === 'registry:catalog:*')
      return allowed.includes('pull') ? [{ type: 'registry', name: 'catalog', actions: ['*'] }] : [];
    const match = /^repository:(?<name>[^:]+):(?<actions>[a-z,*]+)$/.exec(scope);
    const name = RepositoryName.safeParse(match?.groups?.name);
    if (!name.success) return [];
    const asked = match?.groups?.actions?.split(',') ?? [];
    const granted = allowed.filter((action) => asked.includes(action) || asked.includes('*'));
    return granted.length === 0 ? [] : [{ type: 'repository', name: name.data, actions: granted }];
  });
}
