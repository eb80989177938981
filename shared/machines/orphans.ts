import type { Machine } from '../model/machine.ts';
import type { TaggedResource } from './cloud.ts';

/** What is known at one moment. */
export interface Sighted {
  readonly now: Date;
  readonly records: readonly Machine[];
  /** What ARM has of ours; its lists may lag a minute behind. */
  readonly resources: readonly TaggedResource[];
  /** Owners of records whose orchestration is going on. */
  readonly going: ReadonlySet<string>;
  /** Machines that recorded replicas are on. */
  readonly occupied: ReadonlySet<string>;
}

export type SweepStep =
  | {
      readonly step: 'delete-resource';
      readonly kind: TaggedResource['kind'];
      readonly name: string;
      readonly reason: string;
    }
  | { readonly step: 'retire-machine'; readonly machine: Machine; readonly reason: string }
  /** Ask its engine; one that does not answer either is silent. */
  | { readonly step: 'ask-engine'; readonly machine: Machine; readonly reason: string }
  | { readonly step: 'forget-machine'; readonly machine: Machine; readonly reason: string };

const SECOND = 1_000;
/** Younger ones may belong to an orchestration that is just beginning, or be missing in ARM's lists. */
const SPARED = 180 * SECOND;
/** Reports come every 10 s. */
const UNHEARD = 45 * SECOND;
const SILENT_LONG = 900 * SECOND;
/** How long the record of a failed machine says why. */
const FAILED_KEPT = 24 * 3600 * SECOND;

/** Resources without a machine, machines without their orchestration, and machines that are not heard. Pure. */
export function sweepSteps(sighted: Sighted): readonly SweepStep[] {
  return [...orphanSteps(sighted), ...sighted.records.flatMap((machine) => stepsOf(machine, sighted))];
}

/** Machines whose resources have no record: only for these it matters which replicas are recorded. */
export const unrecorded = ({ records, resources }: Pick<Sighted, 'records' | 'resources'>): Set<string> => {
  const recorded = new Set<string>(records.map(({ name }) => name));
  return new Set(resources.map(({ machine }) => machine).filter((machine) => !recorded.has(machine)));
};

/** ARM refuses to delete a NIC or disk that a VM has: they go with the sweep after the VM's. */
function orphanSteps({ now, records, resources, going, occupied }: Sighted): SweepStep[] {
  const withVm = new Set(resources.filter(({ kind }) => kind === 'vm').map(({ machine }) => machine));
  return resources.flatMap(({ kind, name, machine, createdAt }) => {
    const record = records.find((one) => one.name === machine);
    const reason = record === undefined ? `${machine} has no record` : `${machine} failed`;
    const isOrphan =
      record === undefined
        ? !occupied.has(machine)
        : record.status.state === 'failed' && !going.has(record.owner);
    const isOld = createdAt === undefined || age(now, createdAt) > SPARED;
    const isFree = kind === 'vm' || !withVm.has(machine);
    return isOrphan && isOld && isFree ? [{ step: 'delete-resource', kind, name, reason } as const] : [];
  });
}

function stepsOf(machine: Machine, { now, resources, going }: Sighted): SweepStep[] {
  const { status } = machine;
  switch (status.state) {
    case 'stopped':
      return [];
    case 'provisioning':
    case 'booting':
    case 'stopping':
    case 'starting':
    case 'retiring':
      return going.has(machine.owner) || age(now, status.since) <= SPARED
        ? []
        : [{ step: 'retire-machine', machine, reason: `the orchestration ${machine.owner} is gone` }];
    case 'ready': {
      const unheard = age(now, machine.heardAt ?? status.since);
      const reason = `nothing was heard of it for ${Math.round(unheard / SECOND)} s`;
      return unheard > UNHEARD ? [{ step: 'ask-engine', machine, reason }] : [];
    }
    case 'silent': {
      const hasVm = resources.some(({ kind, name }) => kind === 'vm' && name === machine.resources.vm);
      if (!hasVm) return [{ step: 'retire-machine', machine, reason: 'it is silent, and its VM is gone' }];
      return age(now, status.since) > SILENT_LONG
        ? [{ step: 'retire-machine', machine, reason: `it is silent since ${status.since}` }]
        : [];
    }
    case 'failed': {
      const isLeft = resources.some((resource) => resource.machine === machine.name);
      return age(now, status.at) > FAILED_KEPT && !isLeft
        ? [{ step: 'forget-machine', machine, reason: `it failed on ${status.at}` }]
        : [];
    }
  }
}

const age = (now: Date, since: string): number => now.getTime() - Date.parse(since);
