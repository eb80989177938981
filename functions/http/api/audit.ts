import { readAudit } from '../../../shared/api/routes/audit.ts';
import { authoriseOn } from '../../../shared/auth/authorise.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import * as audit from '../../../shared/registry/audit/read-audit.ts';
import { requireRepository } from '../../../shared/registry/images/find-image.ts';
import { endpoint } from '../endpoint.ts';
import { pullable } from './images.ts';

export const read = endpoint(readAudit, async ({ query, principal, services: { tables } }) => {
  const { since, repository, ...rest } = query;
  if (repository !== undefined) authoriseOn(principal, repository, 'admin');
  const { events, next } = await audit.readAudit(tables, (name) => mayOn(principal, name, 'admin'), {
    ...rest,
    repository,
    since: since === undefined ? undefined : new Date(since),
  });
  if (repository !== undefined && events.length === 0 && next === undefined)
    await requireRepository(tables, repository, pullable(principal));
  return { events: [...events], ...(next === undefined ? {} : { next }) };
});
