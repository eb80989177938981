import { PoolName } from '../../model/names.ts';
import { PoolSpec } from '../../model/pool.ts';

/** Holds the records of machines that become images: no replica is placed on them, and they never register. */
export const IMAGE_BUILDERS = PoolName.parse('golden-images');

/** Seconds that one may take from its boot until it is clean. */
const CLEAN_WITHIN = 1200;

/** How such a machine is made: as those of the pools that want its image, from the image that it is based on. */
export const builderSpec = (base: string, sizes: readonly string[]): PoolSpec =>
  PoolSpec.parse({ image: base, sizes, registerWithin: CLEAN_WITHIN, maximum: 1000 });
