import { z } from 'zod';
import type { Brand } from '../../model/brand.ts';
import type { NamePattern } from '../../model/pattern.ts';
import type { Principal } from '../credentials.ts';
import { allows } from '../permissions.ts';
import { permissionOf } from '../repository-access.ts';
import { RepositoryAction, type RepositoryGrant } from '../repository-grant.ts';
import { checkRights, rights } from '../rights.ts';
import type { EntraCaller } from './entra-tokens.ts';

/** Who has the rights: `principal:<object id>`, `group:<object id>` or `role:<value of an app role>`. */
export type Subject = Brand<string, 'Subject'>;
const uuid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
export const Subject = z
  .string()
  .regex(
    new RegExp(`^((principal|group):${uuid}|role:[A-Za-z0-9._-]{1,120})$`),
    'expected principal:<object id>, group:<object id> or role:<app role>',
  )
  .transform((text) => text as Subject);

/** Rights of one subject, in table `assignments`. */
export const Assignment = z
  .strictObject({
    subject: Subject,
    ...rights,
    description: z.string().max(200),
    assignedAt: z.iso.datetime(),
  })
  .superRefine(checkRights);
export type Assignment = z.infer<typeof Assignment>;

/** All that a caller is, as subjects. */
export const subjectsOf = ({ objectId, groups, appRoles }: EntraCaller): readonly string[] => [
  `principal:${objectId.toLowerCase()}`,
  ...groups.map((id) => `group:${id.toLowerCase()}`),
  ...appRoles.map((value) => `role:${value}`),
];

/** What all assignments of a caller come to together. One without grants gives in all repositories what its role gives. */
export function principalOf(caller: EntraCaller, all: readonly Assignment[]): Principal {
  const subjects = new Set(subjectsOf(caller));
  const own = all.filter(({ subject }) => subjects.has(subject));
  const roles = [...new Set(own.flatMap(({ role }) => role ?? []))];
  if (own.every(({ repositories }) => repositories === undefined)) return { id: caller.objectId, roles };
  return { id: caller.objectId, roles, repositories: own.flatMap(grantsOf) };
}

function grantsOf({ role, repositories }: Assignment): readonly RepositoryGrant[] {
  if (repositories !== undefined) return repositories;
  const actions = RepositoryAction.options.filter((action) =>
    allows(role === undefined ? [] : [role], permissionOf[action]),
  );
  return [{ repositories: '**' as NamePattern, actions }];
}
