import { deleteAccess, listAccess, putAccess } from '../../../shared/api/routes/access.ts';
import type { Assignment } from '../../../shared/auth/entra/assignment.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

export const list = endpoint(listAccess, async ({ services: { assignments } }) => ({
  assignments: await assignments.list(),
}));

export const put = endpoint(putAccess, async ({ params, body, services: { assignments, now } }) => {
  const assignment: Assignment = { subject: params.subject, ...body, assignedAt: now().toISOString() };
  await assignments.put(assignment);
  return assignment;
});

export const remove = endpoint(deleteAccess, async ({ params, services: { assignments } }) => {
  if (!(await assignments.list()).some(({ subject }) => subject === params.subject))
    throw notFound('assignment', `of ${params.subject}`, 'List them: berth access list');
  await assignments.remove(params.subject);
  return null;
});
