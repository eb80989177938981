import type { Machine } from '../model/machine.ts';
import type { PoolName } from '../model/names.ts';
import { PoolSpec } from '../model/pool.ts';
import { limitsAt } from '../scheduling/pool-limits.ts';
import { type Breaker, isEndedBy, restingReason } from './breaker/breaker.ts';
import { IMAGE_BUILDERS } from './golden/builder-pool.ts';
import { BY_HAND } from './machine-names.ts';

export interface SightedPools {
  readonly now: Date;
  readonly pools: ReadonlyMap<PoolName, PoolSpec>;
  readonly records: readonly Machine[];
  /** Machines on which something is reserved. */
  readonly reserved: ReadonlySet<string>;
  readonly breakers: ReadonlyMap<string, Breaker>;
}

export type PoolStep =
  | { readonly step: 'note-idle'; readonly machine: Machine; readonly reason: string }
  | { readonly step: 'note-busy'; readonly machine: Machine; readonly reason: string }
  /** Its pool gives other labels by now, and it is placed on by those. */
  | {
      readonly step: 'label-machine';
      readonly machine: Machine;
      readonly labels: Machine['labels'];
      readonly reason: string;
    }
  /** Close its room, then retire it. */
  | { readonly step: 'retire-idle'; readonly machine: Machine; readonly reason: string }
  | {
      readonly step: 'add-machine';
      readonly pool: PoolName;
      readonly spec: PoolSpec;
      readonly reason: string;
    }
  /** A machine became ready after the last failure. */
  | {
      readonly step: 'end-failures';
      readonly pool: PoolName;
      readonly readySince: string;
      readonly reason: string;
    };

/** Machines that pools have too many, since they carry nothing, or too few, against their minimum and spares. Pure. */
export function poolSteps(sighted: SightedPools): readonly PoolStep[] {
  const names = new Set([...sighted.pools.keys(), ...sighted.records.map(({ pool }) => pool)]);
  return [...names]
    .filter((pool) => pool !== BY_HAND && pool !== IMAGE_BUILDERS)
    .flatMap((pool) => stepsOf(pool, sighted));
}

function stepsOf(pool: PoolName, { now, pools, records, reserved, breakers }: SightedPools): PoolStep[] {
  const known = pools.get(pool);
  const spec = known ?? PoolSpec.parse({});
  const members = records.filter((machine) => machine.pool === pool);
  const alive = members.filter(isAlive);
  const wanted = wantedOf(spec, alive.filter(({ name }) => reserved.has(name)).length, now);
  let spare = alive.length - wanted.count;
  const steps = alive.flatMap((machine): PoolStep[] => {
    if (machine.status.state !== 'ready') return [];
    const { idleSince } = machine;
    if (reserved.has(machine.name))
      return idleSince === undefined ? [] : [{ step: 'note-busy', machine, reason: 'it carries containers' }];
    if (idleSince === undefined) return [{ step: 'note-idle', machine, reason: 'nothing is reserved on it' }];
    if (spare <= 0 || now.getTime() - Date.parse(idleSince) < spec.idle * 1000) return [];
    spare -= 1;
    return [{ step: 'retire-idle', machine, reason: `nothing was reserved on it since ${idleSince}` }];
  });
  if (known !== undefined)
    for (const machine of alive)
      if (!sameLabels(machine.labels, known.labels))
        steps.push({
          step: 'label-machine',
          machine,
          labels: known.labels,
          reason: 'the labels of its pool were changed',
        });
  const breaker = breakers.get(pool);
  const ended = breaker && alive.find((machine) => endsFailures(breaker, machine));
  if (ended !== undefined && ended.status.state === 'ready') {
    const { since: readySince } = ended.status;
    steps.push({ step: 'end-failures', pool, readySince, reason: `${ended.name} became ready` });
  }
  const coming = alive.filter(({ status }) => status.state !== 'ready').length;
  const resting = ended === undefined ? restingReason(breaker, coming, now) : undefined;
  const missing = known === undefined || resting !== undefined ? 0 : wanted.count - alive.length;
  const reason = `the pool has ${alive.length} machines of ${wanted.count} that it is to have: ${wanted.reason}`;
  return [
    ...steps,
    ...Array.from({ length: Math.max(0, missing) }, () => ({
      step: 'add-machine' as const,
      pool,
      spec,
      reason,
    })),
  ];
}

/** On their way or ready, and to stay: one that is cordoned counts no more, since another is to take its place. */
const isAlive = ({ status, cordon }: Machine): boolean =>
  cordon === undefined && ['provisioning', 'booting', 'ready'].includes(status.state);

const sameLabels = (a: Machine['labels'], b: Machine['labels']): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(b).every(([key, value]) => a[key] === value);

const endsFailures = (breaker: Breaker, { status }: Machine): boolean =>
  status.state === 'ready' && isEndedBy(breaker, status.since);

/** How many machines a pool is to have: its minimum, or those in use and its spares. @param used on which something is reserved */
function wantedOf(
  spec: PoolSpec,
  used: number,
  now: Date,
): { readonly count: number; readonly reason: string } {
  const { minimum, maximum, windows } = limitsAt(spec, now);
  const warm = spec.spares > 0 ? used + spec.spares : 0;
  const by = windows > 0 ? ' by its schedule' : '';
  return warm > minimum
    ? {
        count: Math.min(warm, maximum),
        reason: `${used} in use and ${spec.spares} spare, at most ${maximum}${by}`,
      }
    : { count: minimum, reason: `at least ${minimum}${by}` };
}
