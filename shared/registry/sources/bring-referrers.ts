import type { Digest } from '../../model/image.ts';
import { inParallel } from '../in-parallel.ts';
import { type MirrorDeps, type Mirrored, storedManifest, storeManifest } from './fetch-manifest.ts';

/** Manifests that are brought for one subject, and at once. */
const MOST = 100;
const WIDTH = 4;

/** Brings the manifests that refer to one, so that they are listed here as they are there. @throws what Upstream throws */
export async function bringReferrers(deps: MirrorDeps, mirrored: Mirrored, subject: Digest): Promise<void> {
  const { from, name, repository } = mirrored;
  const found = await from.referrers(name, subject);
  await inParallel(found.slice(0, MOST), WIDTH, async ({ digest }) => {
    if ((await storedManifest(deps, repository, digest)) !== undefined) return;
    await storeManifest(deps, mirrored, await from.manifest(name, digest), undefined);
  });
}
