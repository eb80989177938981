import { type Deleted, listTrash, restoreImage } from '../../../shared/api/routes/trash.ts';
import { mayOn } from '../../../shared/auth/repository-access.ts';
import { Digest, type RepositoryName, Tag } from '../../../shared/model/image.ts';
import { requireRepository } from '../../../shared/registry/images/find-image.ts';
import { refusing } from '../../../shared/registry/images/refusing.ts';
import { listRepositories } from '../../../shared/registry/repository.ts';
import {
  type Deletion,
  listDeletedManifests,
  listDeletedTags,
} from '../../../shared/registry/trash/entries.ts';
import { restoreManifest, restoreTag } from '../../../shared/registry/trash/restore.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { registryOf } from '../registry-handler.ts';
import { pullable } from './images.ts';

export const list = endpoint(listTrash, async ({ query, principal, services }) => {
  const deleted: Deleted[] = [];
  if (query.repository !== undefined) {
    await addDeleted(services, query.repository, deleted);
    if (deleted.length === 0) await requireRepository(services.tables, query.repository, pullable(principal));
  } else
    for await (const { name } of listRepositories(services.tables))
      if (mayOn(principal, name, 'delete')) await addDeleted(services, name, deleted);
  return { deleted };
});

async function addDeleted(
  { tables, now }: Services,
  repository: RepositoryName,
  deleted: Deleted[],
): Promise<void> {
  const at = now().getTime();
  const add = (
    { deletedAt, deletedBy, restorableUntil }: Deletion,
    of: Pick<Deleted, 'tag' | 'digest' | 'size'>,
  ) => {
    if (Date.parse(restorableUntil) > at)
      deleted.push({ repository, ...of, deletedAt, deletedBy, restorableUntil });
  };
  for await (const tag of listDeletedTags(tables, repository))
    add(tag, { tag: tag.entry.tag, digest: tag.entry.digest, size: tag.entry.imageSize });
  for await (const manifest of listDeletedManifests(tables, repository))
    add(manifest, { digest: manifest.digest, size: manifest.entry.imageSize });
}

export const restore = endpoint(
  restoreImage,
  async ({ body: { repository, reference, force }, principal, request, context, services }) => {
    const restoring = {
      repository,
      force,
      origin: {
        actor: principal?.id ?? 'anonymous',
        method: 'RESTORE',
        host: services.settings.hostname,
        userAgent: request.headers.get('user-agent')?.slice(0, 256),
      },
    };
    const parts = registryOf(services, context);
    const digest = Digest.safeParse(reference);
    return refusing(() =>
      digest.success
        ? restoreManifest(parts, restoring, digest.data)
        : restoreTag(parts, restoring, Tag.parse(reference)),
    );
  },
  { durable: true },
);
