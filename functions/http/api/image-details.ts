import { getImage, type ImageDetails } from '../../../shared/api/routes/image-details.ts';
import type { Digest, RepositoryName, Tag } from '../../../shared/model/image.ts';
import { findContent, readManifest } from '../../../shared/registry/content.ts';
import {
  type ConfigView,
  describeConfig,
  describeManifest,
  isImageConfig,
  platformText,
} from '../../../shared/registry/images/describe.ts';
import { findImage } from '../../../shared/registry/images/find-image.ts';
import { pushedBy } from '../../../shared/registry/images/pushed-by.ts';
import { listReferrers } from '../../../shared/registry/referrers.ts';
import { listTags } from '../../../shared/registry/repository.ts';
import type { Blobs } from '../../../shared/state/blobs.ts';
import type { Tables } from '../../../shared/state/tables.ts';
import type { RegistryParts } from '../../registry.ts';
import { endpoint } from '../endpoint.ts';
import { referenceOf } from './image-reference.ts';
import { pullable } from './images.ts';

/** A configuration with more bytes is not read: those that builders write have some thousand. */
const CONFIG_LIMIT = 4 * 1024 * 1024;

export const details = endpoint(getImage, async ({ query, principal, services: { registry } }) => {
  const { repository } = query;
  const entry = await findImage(registry.tables, referenceOf(query), pullable(principal));
  const bytes = await readManifest(registry.blobs, entry.digest);
  if (bytes === undefined) throw new Error(`the manifest ${entry.digest} of ${repository} is not in storage`);
  const manifest: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const shown = describeManifest(manifest);
  const [config, tags, referrers, push] = await Promise.all([
    shown.config && isImageConfig(shown.config.mediaType)
      ? readConfig(registry.blobs, shown.config.digest)
      : undefined,
    tagsOf(registry.tables, repository, entry.digest),
    referrersOf(registry, repository, entry.digest),
    pushedBy(registry.tables, repository, entry.digest),
  ]);
  return {
    repository,
    digest: entry.digest,
    mediaType: entry.mediaType,
    ...(shown.artifactType === undefined ? {} : { artifactType: shown.artifactType }),
    size: entry.imageSize,
    pushedAt: entry.pushedAt,
    ...(push === undefined ? {} : { pushedBy: push }),
    tags,
    annotations: shown.annotations ?? {},
    manifests: shown.manifests.map(({ platform, ...child }) => {
      const text = platformText(platform);
      return { ...child, ...(text === undefined ? {} : { platform: text }) };
    }),
    ...(config === undefined ? {} : { config }),
    layers: shown.layers,
    referrers,
    manifest,
  };
});

async function readConfig(blobs: Blobs, digest: Digest): Promise<ConfigView | undefined> {
  const content = await findContent(blobs, digest);
  if (content === undefined || content.size > CONFIG_LIMIT) return undefined;
  const found = await blobs.read(content.data);
  if (found === undefined) return undefined;
  try {
    return describeConfig(JSON.parse(new TextDecoder().decode(found.bytes)));
  } catch (error) {
    // Whoever pushed it may have called anything a configuration.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function tagsOf(tables: Tables, repository: RepositoryName, digest: Digest): Promise<Tag[]> {
  const tags: Tag[] = [];
  for await (const entry of listTags(tables, repository)) if (entry.digest === digest) tags.push(entry.tag);
  return tags;
}

async function referrersOf(
  registry: RegistryParts,
  repository: RepositoryName,
  digest: Digest,
): Promise<ImageDetails['referrers']> {
  const found: ImageDetails['referrers'] = [];
  for await (const referrer of listReferrers(registry, repository, digest)) {
    const { mediaType, artifactType, size } = referrer;
    found.push({
      digest: referrer.digest,
      mediaType,
      ...(artifactType === undefined ? {} : { artifactType }),
      size,
    });
  }
  return found;
}
