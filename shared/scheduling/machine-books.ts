import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import { constraintsOf } from './demand.ts';
import type { Candidate } from './fit.ts';
import { tidy } from './room.ts';
import type { MachineRoom, Reservation } from './rows.ts';

type Facts = Pick<Candidate, 'usable' | 'coming' | 'zone' | 'size' | 'labels'>;

/** Counts and lists of a machine, once something of them changes. */
interface Changed {
  readonly groups: Map<string, number>;
  readonly agents: Map<string, number>;
  readonly repels: Map<string, number>;
  readonly ports: number[];
  readonly gpus: number[];
  readonly fixed: string[];
  readonly wants: Set<string>;
}

const NONE: readonly never[] = [];

/**
 * What is known of a machine while things are placed on it, one after the other: its row is written when all are. It is
 * made of every machine for every decision, so that it copies nothing before something changes.
 */
export class MachineBooks implements Candidate {
  readonly machine: MachineName;
  readonly zone: string | undefined;
  readonly size: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly usable: boolean;
  readonly coming: boolean;
  readonly cpu: number;
  readonly memory: number;
  readonly gpu: number;
  freeCpu: number;
  freeMemory: number;
  nextPort: number;
  readonly #row: MachineRoom;
  /** Without a record it is made as those who wait for it need it. */
  readonly #recorded: boolean;
  #changed: Changed | undefined = undefined;

  constructor(row: MachineRoom, facts: Facts, recorded = true) {
    this.#row = row;
    this.#recorded = recorded;
    this.machine = row.machine;
    this.zone = facts.zone;
    this.size = facts.size;
    this.labels = facts.labels;
    this.usable = facts.usable;
    this.coming = facts.coming;
    this.cpu = row.cpu;
    this.memory = row.memory;
    this.gpu = row.gpu ?? 0;
    this.freeCpu = row.freeCpu;
    this.freeMemory = row.freeMemory;
    this.nextPort = row.nextPort;
  }

  static of(row: MachineRoom, machine: Machine | undefined): MachineBooks {
    const state = machine?.status.state ?? 'provisioning';
    const coming = state === 'provisioning' || state === 'booting';
    const usable = (coming || state === 'ready') && row.closed !== true && machine?.cordon === undefined;
    const { size, zone, labels = {} } = machine ?? row;
    return new MachineBooks(row, { usable, coming, size, zone, labels }, machine !== undefined);
  }

  get ports(): readonly number[] {
    return this.#changed?.ports ?? this.#row.ports;
  }

  get gpus(): readonly number[] {
    return this.#changed?.gpus ?? this.#row.gpus ?? NONE;
  }

  hasFixed(port: string): boolean {
    return (this.#changed?.fixed ?? this.#row.fixed ?? NONE).includes(port as never);
  }

  countOf(group: string): number {
    if (this.#changed !== undefined)
      return (this.#changed.groups.get(group) ?? 0) + (this.#changed.agents.get(group) ?? 0);
    const { groups, agents } = this.#row;
    return (groups[group] ?? 0) + (agents?.[group] ?? 0);
  }

  *groups(): Generator<string> {
    yield* this.#changed?.groups.keys() ?? Object.keys(this.#row.groups);
    yield* this.#changed?.agents.keys() ?? Object.keys(this.#row.agents ?? {});
  }

  repelled(): Iterable<string> {
    return this.#changed?.repels.keys() ?? Object.keys(this.#row.repels ?? {});
  }

  repels(group: string): boolean {
    const count = this.#changed ? this.#changed.repels.get(group) : this.#row.repels?.[group];
    return (count ?? 0) > 0;
  }

  take(one: Reservation): void {
    const { cpu, memory, port, gpus = NONE, fixed = NONE, wishes } = one;
    const changed = this.#change();
    this.freeCpu = tidy(this.freeCpu - cpu);
    this.freeMemory -= memory;
    if (port !== undefined) {
      changed.ports.push(port);
      this.nextPort = port + 1;
    }
    changed.gpus.push(...gpus);
    changed.fixed.push(...fixed);
    count(changed, one, 1);
    if (!this.#recorded && wishes?.constraints !== undefined)
      for (const constraint of madeSo(wishes.constraints)) changed.wants.add(constraint);
  }

  giveBack(one: Reservation): void {
    const { cpu, memory, port, gpus = NONE, fixed = NONE } = one;
    const changed = this.#change();
    this.freeCpu = tidy(this.freeCpu + cpu);
    this.freeMemory += memory;
    if (port !== undefined) remove(changed.ports, port);
    for (const gpu of gpus) remove(changed.gpus, gpu);
    for (const name of fixed) remove(changed.fixed, name);
    count(changed, one, -1);
  }

  #change(): Changed {
    const { groups, agents = {}, repels = {}, ports, gpus = [], fixed = [], wants } = this.#row;
    this.#changed ??= {
      groups: new Map(Object.entries(groups)),
      agents: new Map(Object.entries(agents)),
      repels: new Map(Object.entries(repels)),
      ports: [...ports],
      gpus: [...gpus],
      fixed: [...fixed],
      wants: new Set(wants),
    };
    return this.#changed;
  }

  /** The row as it is to be; the one that was read, if nothing changed. */
  row(): MachineRoom {
    if (this.#changed === undefined) return this.#row;
    const { groups, agents, repels, ports, gpus, fixed, wants } = this.#changed;
    const row: MachineRoom = {
      ...this.#row,
      freeCpu: this.freeCpu,
      freeMemory: this.freeMemory,
      ports: ports.slice(),
      nextPort: this.nextPort,
      groups: Object.fromEntries(groups),
    };
    const optional = {
      agents: agents.size > 0 ? Object.fromEntries(agents) : undefined,
      repels: repels.size > 0 ? Object.fromEntries(repels) : undefined,
      gpus: gpus.length > 0 ? gpus.slice() : undefined,
      fixed: fixed.length > 0 ? fixed.slice() : undefined,
      wants: wants.size > 0 ? [...wants] : undefined,
    };
    for (const key of ['agents', 'repels', 'gpus', 'fixed', 'wants'] as const)
      if (optional[key] !== undefined) Object.assign(row, { [key]: optional[key] });
      else if (row[key] !== undefined) delete row[key];
    return row;
  }
}

function count({ groups, agents, repels }: Changed, one: Reservation, by: 1 | -1): void {
  const { group, set = group, wishes, follows } = one;
  const counts = follows === true ? agents : groups;
  change(counts, group, by);
  if (set !== group) change(counts, set, by);
  for (const other of wishes?.antiAffinity ?? []) change(repels, other, by);
}

/** Conditions that the choice of size and zone decides. */
const madeSo = (constraints: readonly string[]): string[] =>
  constraintsOf(constraints).flatMap(({ on }, at) =>
    on === 'size' || on === 'zone' ? [constraints[at] ?? ''] : [],
  );

function change(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
}

function remove<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at >= 0) list.splice(at, 1);
}
