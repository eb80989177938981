import type { Machine } from '../model/machine.ts';
import type { PoolName } from '../model/names.ts';
import type { PoolSpec } from '../model/pool.ts';
import { BY_HAND } from './machine-names.ts';

export interface SightedPools {
  readonly now: Date;
  readonly pools: ReadonlyMap<PoolName, PoolSpec>;
  readonly records: readonly Machine[];
  /** Machines on which something is reserved. */
  readonly reserved: ReadonlySet<string>;
}

export type PoolStep =
  | { readonly step: 'note-idle'; readonly machine: Machine; readonly reason: string }
  | { readonly step: 'note-busy'; readonly machine: Machine; readonly reason: string }
  /** Close its room, then retire it. */
  | { readonly step: 'retire-idle'; readonly machine: Machine; readonly reason: string }
  | {
      readonly step: 'add-machine';
      readonly pool: PoolName;
      readonly spec: PoolSpec;
      readonly reason: string;
    };

/** Minutes to wait after so many failures in the last hour: endless attempts would cost, and mend nothing. */
const BACK_OFF = [0, 1, 5, 15];
const MINUTE = 60_000;

/** Machines that pools have too many, since they carry nothing, or too few, against their minimum. Pure. */
export function poolSteps(sighted: SightedPools): readonly PoolStep[] {
  const names = new Set([...sighted.pools.keys(), ...sighted.records.map(({ pool }) => pool)]);
  return [...names].filter((pool) => pool !== BY_HAND).flatMap((pool) => stepsOf(pool, sighted));
}

function stepsOf(pool: PoolName, { now, pools, records, reserved }: SightedPools): PoolStep[] {
  const spec = pools.get(pool);
  const minimum = spec?.minimum ?? 0;
  const idleMs = (spec?.idle ?? 600) * 1000;
  const members = records.filter((machine) => machine.pool === pool);
  const alive = members.filter(({ status }) => ['provisioning', 'booting', 'ready'].includes(status.state));
  let spare = alive.length - minimum;
  const steps = alive.flatMap((machine): PoolStep[] => {
    if (machine.status.state !== 'ready') return [];
    const { idleSince } = machine;
    if (reserved.has(machine.name))
      return idleSince === undefined ? [] : [{ step: 'note-busy', machine, reason: 'it carries containers' }];
    if (idleSince === undefined) return [{ step: 'note-idle', machine, reason: 'nothing is reserved on it' }];
    if (spare <= 0 || now.getTime() - Date.parse(idleSince) < idleMs) return [];
    spare -= 1;
    return [{ step: 'retire-idle', machine, reason: `nothing was reserved on it since ${idleSince}` }];
  });
  if (spec === undefined || alive.length >= minimum || isResting(members, now)) return steps;
  const reason = `the pool has ${alive.length} of at least ${minimum} machines`;
  const missing = Array.from({ length: minimum - alive.length }, () => ({
    step: 'add-machine' as const,
    pool,
    spec,
    reason,
  }));
  return [...steps, ...missing];
}

/** Whether the pool's last failure is too recent for another attempt. */
function isResting(members: readonly Machine[], now: Date): boolean {
  const failures = members
    .flatMap(({ status }) => (status.state === 'failed' ? [now.getTime() - Date.parse(status.at)] : []))
    .filter((age) => age < 60 * MINUTE);
  const wait = BACK_OFF[Math.min(failures.length, BACK_OFF.length - 1)] ?? 0;
  return failures.length > 0 && Math.min(...failures) < wait * MINUTE;
}
