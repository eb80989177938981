import { listQuotas } from '../../../shared/api/routes/quotas.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import type { RepositoryName } from '../../../shared/model/image.ts';
import { requireRepository } from '../../../shared/registry/images/find-image.ts';
import { countUse } from '../../../shared/registry/quota/use.ts';
import { listRepositories } from '../../../shared/registry/repository.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { pullable } from './images.ts';

export const list = endpoint(listQuotas, async ({ query, principal, services }) => {
  const repositories = [];
  if (query.repository !== undefined) {
    const found = await quotaOf(services, query.repository);
    // Blobs come before the first manifest, by which a repository is known.
    if (found.used === 0) await requireRepository(services.tables, query.repository, pullable(principal));
    repositories.push(found);
  } else
    for await (const { name } of listRepositories(services.tables))
      if (mayOn(principal, name, 'pull')) repositories.push(await quotaOf(services, name));
  return { repositories };
});

/** The rows are added up: what is shown is what is there. */
async function quotaOf({ tables, policies }: Services, repository: RepositoryName) {
  const [used, { quota }] = await Promise.all([countUse(tables, repository), policies.of(repository)]);
  return { repository, used, ...(quota === undefined ? {} : { quota }) };
}
