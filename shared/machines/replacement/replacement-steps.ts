import type { Machine } from '../../model/machine.ts';
import type { PoolName } from '../../model/names.ts';
import type { PoolSpec } from '../../model/pool.ts';
import { BY_HAND } from '../machine-names.ts';
import { budgetOf, isAway } from './budget.ts';
import { type Due, dueOf } from './due.ts';

export interface SightedReplacements {
  readonly now: Date;
  readonly pools: ReadonlyMap<PoolName, PoolSpec>;
  readonly records: readonly Machine[];
  /** Machines on which something is reserved. */
  readonly reserved: ReadonlySet<string>;
  /** What a machine of the pool would be made from now. */
  profileOf(spec: PoolSpec): string;
  /** Why what is on a machine has no room elsewhere, nor on one more machine; undefined if it has. */
  homeless(machine: Machine): string | undefined;
}

export type ReplacementStep =
  /** Cordon and drain it, then retire it. */
  | { readonly step: 'replace'; readonly machine: Machine; readonly due: Due; readonly reason: string }
  /** It is as its pool wants it again. */
  | { readonly step: 'keep'; readonly machine: Machine; readonly reason: string }
  /** It is due, and has to wait: `reason` says for what. */
  | { readonly step: 'postpone'; readonly machine: Machine; readonly due: Due; readonly reason: string }
  /** It is not due any more. */
  | { readonly step: 'forget-due'; readonly machine: Machine; readonly reason: string };

/**
 * Which machines are replaced now, since they are not as their pool wants them or too old: never more at once than the
 * pool's budget, those that carry nothing first, then the oldest. Pure.
 */
export function replacementSteps(sighted: SightedReplacements): readonly ReplacementStep[] {
  const names = new Set(sighted.records.map(({ pool }) => pool));
  return [...names].filter((pool) => pool !== BY_HAND).flatMap((pool) => stepsOf(pool, sighted));
}

function stepsOf(pool: PoolName, sighted: SightedReplacements): ReplacementStep[] {
  const spec = sighted.pools.get(pool);
  if (spec === undefined) return [];
  const { now, records, reserved } = sighted;
  const profile = sighted.profileOf(spec);
  const members = records.filter((machine) => machine.pool === pool && machine.status.state !== 'failed');
  const steps: ReplacementStep[] = [];
  const waiting: { machine: Machine; due: Due }[] = [];
  let away = members.filter(isAway).length;
  for (const machine of members) {
    if (machine.status.state !== 'ready') continue;
    const due = dueOf(machine, spec, profile, now);
    const { cordon } = machine;
    if (cordon !== undefined && (cordon.by === 'drift' || cordon.by === 'expiry')) {
      if (due !== undefined || cordon.drainedAt !== undefined) continue;
      steps.push({ step: 'keep', machine, reason: 'it is as its pool wants it again' });
    } else if (due !== undefined && cordon?.drain !== true) waiting.push({ machine, due });
    else if (due === undefined && machine.due !== undefined)
      steps.push({ step: 'forget-due', machine, reason: 'it is as its pool wants it' });
  }
  const allowed = budgetOf(spec, members.length);
  const isBusy = ({ machine }: { machine: Machine }) => Number(reserved.has(machine.name));
  const age = ({ machine }: { machine: Machine }) => machine.createdAt ?? '';
  waiting.sort((a, b) => isBusy(a) - isBusy(b) || age(a).localeCompare(age(b)));
  for (const { machine, due } of waiting) {
    const full = `${away} of at most ${allowed} machines of its pool are away already`;
    const why = away >= allowed ? full : sighted.homeless(machine);
    if (why !== undefined) steps.push({ step: 'postpone', machine, due, reason: why });
    else {
      steps.push({ step: 'replace', machine, due, reason: due.reason });
      away += 1;
    }
  }
  return steps;
}
