import { RepositoryName } from '../../../shared/model/image.ts';
import {
  ManifestEntry,
  manifestRow,
  partitionOf,
  REGISTRY,
  valuesOf,
} from '../../../shared/registry/repository.ts';
import type { ApiWorld } from '../../support/api-world.ts';

/** The tag, and the manifest that it names: `shop/web:1`. */
export async function pushManifest(world: ApiWorld, image: string, letter: string): Promise<void> {
  await world.push(image, letter);
  const entry = ManifestEntry.parse({
    digest: `sha256:${letter.repeat(64)}`,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    size: 500,
    imageSize: 2_500_000,
    pushedAt: new Date().toISOString(),
  });
  const repository = RepositoryName.parse(image.split(':')[0]);
  await world.server.tables.commit(REGISTRY, partitionOf(repository), [
    { kind: 'upsert', row: manifestRow(entry.digest), values: valuesOf(entry) },
  ]);
}
