import { getImageUsage } from '../../../shared/api/routes/image-usage.ts';
import { listImages } from '../../../shared/api/routes/images.ts';
import type { Principal } from '../../../shared/auth/credentials.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import type { RepositoryName } from '../../../shared/model/image.ts';
import * as catalog from '../../../shared/registry/catalog.ts';
import { requireRepository } from '../../../shared/registry/images/find-image.ts';
import { usage } from '../../../shared/registry/images/usage.ts';
import { endpoint } from '../endpoint.ts';

/** Repositories that the caller may know of. */
export const pullable =
  (principal: Principal | undefined) =>
  (repository: RepositoryName): boolean =>
    mayOn(principal, repository, 'pull');

export const list = endpoint(listImages, async ({ query, principal, services: { tables, settings } }) => {
  const may = pullable(principal);
  if (query.repository !== undefined && may(query.repository))
    await requireRepository(tables, query.repository, may);
  const { images, more } = await catalog.listImages(tables, { may, ...query });
  const last = images.at(-1);
  return {
    registry: settings.hostname,
    images: [...images],
    ...(more && last !== undefined ? { next: `${last.repository}:${last.tag}` } : {}),
  };
});

export const bytes = endpoint(getImageUsage, async ({ query, principal, services: { registry } }) => {
  const may = pullable(principal);
  if (query.repository !== undefined) await requireRepository(registry.tables, query.repository, may);
  const { repositories, total } = await usage(registry, may, query.repository);
  return { repositories: [...repositories], total };
});
