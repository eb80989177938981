import type { ServiceSpec } from '../model/application.ts';
import type { Machine } from '../model/machine.ts';
import { holds } from '../model/placement.ts';
import { constraintsOf } from '../scheduling/demand.ts';

type Seen = { readonly slot: number; readonly generation: number; readonly machine: string };

/** Whether a service may have a slot of this number; one that follows the machines has as many as there are. */
export const mayHaveSlot = (
  { mode, replicas }: Pick<ServiceSpec, 'mode' | 'replicas'>,
  slot: number,
): boolean => mode === 'one-per-machine' || slot < replicas;

/**
 * The slots of a service that runs once on each machine; undefined for others. A machine keeps the slot of the replica that
 * is there, a new one gets the first number that is free: that of a machine that is gone, so that its replica is replaced.
 * Machines that are cordoned without being drained keep what they have and get nothing. Pure.
 * @param replicas of the revision that is wanted
 */
export function machineSlots(
  spec: Pick<ServiceSpec, 'mode' | 'pool' | 'placement'>,
  machines: readonly Machine[],
  replicas: readonly Seen[],
): readonly number[] | undefined {
  if (spec.mode !== 'one-per-machine') return undefined;
  const ready = machines.filter((machine) => machine.pool === spec.pool && machine.status.state === 'ready');
  const kept = new Map<string, number>();
  for (const { machine, slot } of [...replicas].sort((a, b) => b.generation - a.generation))
    if (!kept.has(machine) && ready.some(({ name, cordon }) => name === machine && cordon?.drain !== true))
      kept.set(machine, slot);
  const slots = new Set(kept.values());
  let next = 0;
  for (const machine of ready.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (kept.has(machine.name) || machine.cordon !== undefined || !isWanted(spec, machine)) continue;
    while (slots.has(next)) next += 1;
    slots.add(next);
  }
  return [...slots].sort((a, b) => a - b);
}

/** What was placed stays though a label was changed since: conditions hold when something is placed. */
const isWanted = ({ placement }: Pick<ServiceSpec, 'placement'>, machine: Machine): boolean =>
  constraintsOf(placement?.constraints ?? []).every((one) =>
    holds(one, { ...machine, machine: machine.name }),
  );

/** How many replicas a service is to have. @param slots of one that follows the machines */
export const wantedReplicas = (
  { replicas }: Pick<ServiceSpec, 'replicas'>,
  slots: readonly number[] | undefined,
): number => slots?.length ?? replicas;
