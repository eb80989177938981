import type { Machine } from '../model/machine.ts';
import { type Orphan, orphansOf, type Sighted, SPARED } from './orphans.ts';

export type SweepStep =
  /** Delete what belongs to no machine, in the order that ARM allows. */
  | {
      readonly step: 'remove-orphans';
      readonly name: string;
      readonly orphans: readonly Orphan[];
      readonly reason: string;
    }
  | { readonly step: 'retire-machine'; readonly machine: Machine; readonly reason: string }
  /** Its orchestration is gone while its power changed: what ARM says of it counts. */
  | { readonly step: 'settle-power'; readonly machine: Machine; readonly reason: string }
  /** Ask its engine; one that does not answer either is silent. */
  | { readonly step: 'ask-engine'; readonly machine: Machine; readonly reason: string }
  /** What was left of it is gone. */
  | { readonly step: 'note-removed'; readonly machine: Machine; readonly reason: string }
  | { readonly step: 'forget-machine'; readonly machine: Machine; readonly reason: string };

const SECOND = 1_000;
/** Reports come every 10 s. */
const UNHEARD = 45 * SECOND;
/** A reboot is over by then: whoever is silent for longer is dead or cut off, and what was on it is elsewhere. */
const SILENT_LONG = 300 * SECOND;
/** How long the record of a failed machine says why. */
const FAILED_KEPT = 24 * 3600 * SECOND;

/** Resources without a machine, machines without their orchestration, and machines that are not heard. Pure. */
export function sweepSteps(sighted: Sighted): readonly SweepStep[] {
  return [...orphanSteps(sighted), ...sighted.records.flatMap((machine) => stepsOf(machine, sighted))];
}

/** One step for all orphans of a machine: they depend on each other. */
function orphanSteps(sighted: Sighted): SweepStep[] {
  const ofMachine = Map.groupBy(
    orphansOf(sighted).filter(({ spared }) => !spared),
    ({ machine }) => machine,
  );
  return [...ofMachine].map(([name, orphans]) => {
    const reason = [...new Set(orphans.map((orphan) => orphan.reason))].join('; ');
    return { step: 'remove-orphans', name, orphans, reason };
  });
}

function stepsOf(machine: Machine, sighted: Sighted): SweepStep[] {
  const { now, resources, going } = sighted;
  const { status, leftovers } = machine;
  const retire = (reason: string): SweepStep[] => [{ step: 'retire-machine', machine, reason }];
  const since = 'since' in status ? status.since : status.at;
  const isLeft = resources.some(
    (resource) => resource.machine === machine.name && leftovers.some((one) => names(one).has(resource.name)),
  );
  const noted: SweepStep[] =
    leftovers.length > 0 && !isLeft && !going.has(machine.owner) && age(now, since) > SPARED
      ? [{ step: 'note-removed', machine, reason: 'ARM has nothing more of what was left of it' }]
      : [];
  switch (status.state) {
    case 'stopped':
      return noted;
    case 'stopping':
    case 'starting':
      return going.has(machine.owner) || age(now, status.since) <= SPARED
        ? []
        : [{ step: 'settle-power', machine, reason: `the orchestration ${machine.owner} is gone` }];
    case 'provisioning':
    case 'booting':
    case 'retiring':
      return going.has(machine.owner) || age(now, status.since) <= SPARED
        ? []
        : retire(`the orchestration ${machine.owner} is gone`);
    case 'ready': {
      const unheard = age(now, machine.heardAt ?? status.since);
      const reason = `nothing was heard of it for ${Math.round(unheard / SECOND)} s`;
      return unheard > UNHEARD ? [...noted, { step: 'ask-engine', machine, reason }] : noted;
    }
    case 'silent': {
      const hasVm = resources.some(({ kind, name }) => kind === 'vm' && name === machine.resources.vm);
      if (!hasVm) return retire('it is silent, and its VM is gone');
      // What somebody made by hand stays until they remove it: they may be at work on it, or have switched it off.
      return age(now, status.since) > SILENT_LONG && machine.hand === undefined
        ? retire(`it is silent since ${status.since}`)
        : noted;
    }
    case 'failed':
      return age(now, status.at) > FAILED_KEPT && leftovers.length === 0
        ? [{ step: 'forget-machine', machine, reason: `it failed on ${status.at}` }]
        : noted;
  }
}

const names = ({ vm, nic, disk, publicIp, securityGroup }: Machine['resources']): ReadonlySet<string> =>
  new Set([vm, nic, disk, publicIp, securityGroup].filter((name) => name !== undefined));

const age = (now: Date, since: string): number => now.getTime() - Date.parse(since);
