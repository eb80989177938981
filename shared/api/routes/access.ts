import { z } from 'zod';
import { Assignment, Subject } from '../../auth/entra/assignment.ts';
import { checkRights, rights } from '../../auth/rights.ts';
import { route } from '../route.ts';

/** What one subject may do, and since when. */
export const AccessView = Assignment;
export type AccessView = Assignment;

const ofSubject = z.object({ subject: Subject });

export const listAccess = route({
  name: 'list-access',
  method: 'GET',
  path: '/api/v1/access',
  permission: 'keys.read',
  summary: 'What principals, groups and app roles of the Microsoft Entra tenant may do.',
  answer: z.object({ assignments: z.array(AccessView) }),
});

export const putAccess = route({
  name: 'put-access',
  method: 'PUT',
  path: '/api/v1/access/{subject}',
  permission: 'keys.write',
  summary:
    'Says what one of them may do: `principal:<object id>`, `group:<object id>` or `role:<app role>`. It takes the place of what was said before.',
  params: ofSubject,
  body: {
    schema: z
      .strictObject({ ...rights, description: z.string().max(200).default('') })
      .superRefine(checkRights),
  },
  answer: AccessView,
});

export const deleteAccess = route({
  name: 'delete-access',
  method: 'DELETE',
  path: '/api/v1/access/{subject}',
  permission: 'keys.write',
  summary: 'Takes away what was given to one of them.',
  params: ofSubject,
  status: 204,
  answer: z.null(),
});
