import type { PoolSpec } from '../model/pool.ts';

/** Machines that a pool may have, in its widest window. */
export const mostMachines = ({ maximum, schedule }: Pick<PoolSpec, 'maximum' | 'schedule'>): number =>
  Math.max(maximum, ...schedule.map(({ maximum: most = 0 }) => most));
