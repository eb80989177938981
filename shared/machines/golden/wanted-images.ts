import type { PoolSpec } from '../../model/pool.ts';
import type { WantedImage } from './golden-steps.ts';
import { profileOf } from './profile.ts';

/** The images that pools want, each once, with the sizes of all pools that want it. */
export function wantedImages(
  pools: readonly Pick<PoolSpec, 'golden' | 'image' | 'sizes'>[],
): readonly WantedImage[] {
  const wanted = new Map<string, WantedImage>();
  for (const { golden, image, sizes } of pools) {
    if (!golden) continue;
    const profile = profileOf({ image });
    const others = wanted.get(profile)?.sizes ?? [];
    wanted.set(profile, { profile, base: image, sizes: [...new Set([...others, ...sizes])] });
  }
  return [...wanted.values()];
}
