import type { Machine } from '../../model/machine.ts';
import type { PoolSpec } from '../../model/pool.ts';

/** How many machines of a pool may be away at once for their replacement. A share gives at least one. Pure. */
export function budgetOf({ budget }: Pick<PoolSpec, 'budget'>, machines: number): number {
  if (typeof budget === 'number') return budget;
  const share = Number.parseInt(budget, 10);
  return share === 0 ? 0 : Math.max(1, Math.floor((machines * share) / 100));
}

/** Whether a machine counts as away: what runs on it is moving or lost, or it is going already. */
export const isAway = ({ status, cordon }: Machine): boolean =>
  status.state === 'silent' || status.state === 'retiring' || cordon?.drain === true;
