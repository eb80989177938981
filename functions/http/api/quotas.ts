import { listQuotas } from '../../../shared/api/routes/quotas.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import type { RepositoryName } from '../../../shared/model/image.ts';
import { countUse } from '../../../shared/registry/quota/use.ts';
import { listRepositories } from '../../../shared/registry/repository.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';

export const list = endpoint(listQuotas, async ({ query, principal, services }) => {
  const repositories = [];
  if (query.repository !== undefined) repositories.push(await quotaOf(services, query.repository));
  else
    for await (const { name } of listRepositories(services.tables))
      if (mayOn(principal, name, 'pull')) repositories.push(await quotaOf(services, name));
  return { repositories };
});

/** The rows are added up: what is shown is what is there. */
async function quotaOf({ tables, policies }: Services, repository: RepositoryName) {
  const [used, { quota }] = await Promise.all([countUse(tables, repository), policies.of(repository)]);
  return { repository, used, ...(quota === undefined ? {} : { quota }) };
}
