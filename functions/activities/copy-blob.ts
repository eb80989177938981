import { copyBlob } from '../../shared/model/image-import.ts';
import { RegistryError } from '../../shared/registry/errors.ts';
import { copyBlob as effect } from '../../shared/registry/import/copy-blob.ts';
import { refused } from '../../shared/registry/import/copy-manifest.ts';
import { activity } from './activity.ts';

export const copyBlobActivity = activity(copyBlob, async ({ from, to, digest }, { mirror, registry }) => {
  const upstream = await mirror.at(from.host, from.repository);
  try {
    return await effect(registry, upstream, { name: from.repository, repository: to, digest });
  } catch (error) {
    // A quota, for one.
    if (error instanceof RegistryError && error.status < 500) throw refused(to, error);
    throw error;
  }
});
