import { copyManifest } from '../../shared/model/image-import.ts';
import { copyManifest as effect } from '../../shared/registry/import/copy-manifest.ts';
import { registryOf } from '../http/registry-handler.ts';
import { activity } from './activity.ts';

export const copyManifestActivity = activity(
  copyManifest,
  async ({ from, to, digest, tag, actor }, services, context) => {
    const upstream = await services.mirror.at(from.host, from.repository);
    const copy = { name: from.repository, repository: to, digest, tag, actor };
    await effect(registryOf(services, context), upstream, copy);
    return null;
  },
  { durable: true },
);
