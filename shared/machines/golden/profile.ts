import { createHash } from 'node:crypto';
import type { PoolSpec } from '../../model/pool.ts';
import { renderBuilderCloudInit } from './builder-cloud-init.ts';

/**
 * Which golden image the machines of a pool need: a digest of the base image's reference and of all that is installed
 * on it (packages, agent, units). The generation of virtual hardware follows from the base image, and addresses and
 * names are not in an image. 16 hex digits.
 */
export function profileOf({ image }: Pick<PoolSpec, 'image'>): string {
  const software = renderBuilderCloudInit(image);
  return createHash('sha256').update(JSON.stringify({ image, software })).digest('hex').slice(0, 16);
}
