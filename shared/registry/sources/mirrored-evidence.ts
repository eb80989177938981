import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, Terminal } from '../../model/errors.ts';
import type { Digest, RepositoryName } from '../../model/image.ts';
import { RegistryError } from '../errors.ts';
import { evidenceTags, isEvidenceType } from '../trust/evidence-places.ts';
import type { EvidenceSource } from '../trust/evidence-source.ts';
import type { MirrorDeps } from './fetch-manifest.ts';
import type { Mirror } from './mirror.ts';
import { upstreamName } from './source.ts';

/** Milliseconds that a judgement waits for another registry. */
const PATIENCE = 15_000;
/** Manifests that are brought for one image. */
const MOST = 50;

/** Brings the signatures and attestations of copies from the registry that they are copies of. */
export const mirroredEvidence = (mirror: Mirror, deps: MirrorDeps): EvidenceSource => ({
  async bring(repository, subject) {
    const source = await mirror.sourceOf(repository);
    if (source === undefined) return;
    const bring = async (): Promise<void> => {
      for (const tag of evidenceTags(subject)) await orNot(mirror.manifest(deps, repository, tag));
      const referrers = await orNot(referrersOf(repository, subject));
      const evidence = (referrers ?? []).filter(({ artifactType }) => isEvidenceType(artifactType));
      for (const { digest } of evidence.slice(0, MOST))
        await orNot(mirror.manifest(deps, repository, digest));
    };
    await Promise.race([bring(), sleep(PATIENCE, undefined, { ref: false })]);

    async function referrersOf(name: RepositoryName, of: Digest) {
      if (source === undefined) return [];
      return (await mirror.upstream(source)).referrers(upstreamName(source, name), of);
    }
  },
  async content(repository, digest) {
    await Promise.race([
      orNot(mirror.blob(deps, repository, digest)),
      sleep(PATIENCE, undefined, { ref: false }),
    ]);
  },
});

/** What cannot be had, since it is not there or the other registry is down, is no evidence; what was had before is. */
async function orNot<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RegistryError || error instanceof Terminal || error instanceof Retryable)
      return undefined;
    throw error;
  }
}
