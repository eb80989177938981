import { readAudit } from '../../../shared/api/routes/audit.ts';
import { authoriseOn } from '../../../shared/auth/authorise.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import * as audit from '../../../shared/registry/audit/read-audit.ts';
import { endpoint } from '../endpoint.ts';

export const read = endpoint(readAudit, async ({ query, principal, services: { tables } }) => {
  const { since, repository, ...rest } = query;
  if (repository !== undefined) authoriseOn(principal, repository, 'admin');
  const { events, next } = await audit.readAudit(tables, (name) => mayOn(principal, name, 'admin'), {
    ...rest,
    repository,
    since: since === undefined ? undefined : new Date(since),
  });
  return { events: [...events], ...(next === undefined ? {} : { next }) };
});
