import { z } from 'zod';
import { GoldenImage } from '../../machines/golden/golden-image.ts';
import { MachineName, PoolName } from '../../model/names.ts';
import { route } from '../route.ts';

export const MachineImageView = GoldenImage.extend({
  /** Pools that want it. */
  pools: z.array(PoolName),
  /** Machines that boot from it. */
  machines: z.array(MachineName),
  /** When a failed one is tried again. */
  nextAttempt: z.iso.datetime().optional(),
});
export type MachineImageView = z.infer<typeof MachineImageView>;

export const listMachineImages = route({
  name: 'list-machine-images',
  method: 'GET',
  path: '/api/v1/machine-images',
  permission: 'machines.read',
  summary: 'The golden images: from which base, how far they are, which pools and machines have them.',
  answer: z.object({ images: z.array(MachineImageView) }),
});
