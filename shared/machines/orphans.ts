import type { Machine } from '../model/machine.ts';
import type { TaggedResource } from './cloud.ts';
import { namesOf } from './machine-names.ts';

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

/** A resource that belongs to no machine that is, or is to come. */
export interface Orphan extends TaggedResource {
  readonly reason: string;
  /** Too young to be sure: it may belong to what is just beginning. */
  readonly spared: boolean;
}

const SECOND = 1_000;
/** Younger ones may belong to an orchestration that is just beginning, or be missing in ARM's lists. Milliseconds. */
export const SPARED = 180 * SECOND;

/** Machines whose resources have no record: only for these it matters which replicas are recorded. */
export const unrecorded = ({ records, resources }: Pick<Sighted, 'records' | 'resources'>): Set<string> => {
  const recorded = new Set<string>(records.map(({ name }) => name));
  return new Set(resources.map(({ machine }) => machine).filter((machine) => !recorded.has(machine)));
};

/**
 * Resources that an interrupted run left: without a record, of a machine that failed, or of an earlier attempt at one.
 * Every name is recorded before its PUT and never used again, so what no record names belongs to nothing. Pure.
 */
export function orphansOf({ now, records, resources, going, occupied }: Sighted): readonly Orphan[] {
  const machines = new Map<string, Machine>(records.map((record) => [record.name, record]));
  return resources.flatMap((resource) => {
    const record = machines.get(resource.machine);
    const reason =
      record === undefined
        ? !occupied.has(resource.machine) && `${resource.machine} has no record`
        : !going.has(record.owner) && whyUnwanted(resource, record);
    const spared =
      resource.createdAt !== undefined && now.getTime() - Date.parse(resource.createdAt) <= SPARED;
    return reason === false ? [] : [{ ...resource, reason, spared }];
  });
}

function whyUnwanted({ kind, name }: TaggedResource, { name: machine, ...record }: Machine): string | false {
  const isCurrent = namesOf(record.resources).some((one) => one.kind === kind && one.name === name);
  if (!isCurrent) return `an earlier attempt at ${machine} left it`;
  return record.status.state === 'failed' && `${machine} failed: ${record.status.code}`;
}
