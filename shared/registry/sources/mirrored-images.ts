import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageResolver } from '../../workloads/image-resolver.ts';
import { RegistryError } from '../errors.ts';
import type { MirrorDeps } from './fetch-manifest.ts';
import type { Mirror } from './mirror.ts';

/** Milliseconds that who asks for a digest waits for another registry. */
const PATIENCE = 15_000;

/**
 * Answers for copies too, after what is not there or not fresh was asked for upstream. When that fails or takes long, what
 * there is counts: once it comes, it is a push.
 */
export const mirroredImages = (images: ImageResolver, mirror: Mirror, deps: MirrorDeps): ImageResolver => ({
  async resolve(reference) {
    const wanted = reference.digest ?? reference.tag;
    if (wanted !== undefined) {
      const asked = mirror.manifest(deps, reference.repository, wanted).catch((error: unknown) => {
        if (!(error instanceof RegistryError)) throw error;
      });
      await Promise.race([asked, sleep(PATIENCE, undefined, { ref: false })]);
      asked.catch(deps.report);
    }
    return images.resolve(reference);
  },
});
