import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import { constraintsOf } from './demand.ts';
import type { Candidate } from './fit.ts';
import { tidy } from './room.ts';
import type { MachineRoom, Reservation } from './rows.ts';

type Facts = Pick<Candidate, 'usable' | 'coming' | 'zone' | 'size' | 'labels'>;

/** What is known of a machine while things are placed on it, one after the other: its row is written when all are. */
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
  readonly ports: number[];
  readonly gpus: number[];
  readonly fixed: Set<string>;
  readonly #row: MachineRoom;
  /** Without a record it is made as those who wait for it need it. */
  readonly #recorded: boolean;
  readonly #groups: Map<string, number>;
  readonly #agents: Map<string, number>;
  readonly #repels: Map<string, number>;
  readonly #wants: Set<string>;
  #changed = false;

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
    this.ports = [...row.ports];
    this.gpus = [...(row.gpus ?? [])];
    this.fixed = new Set(row.fixed);
    this.#groups = new Map(Object.entries(row.groups));
    this.#agents = new Map(Object.entries(row.agents ?? {}));
    this.#repels = new Map(Object.entries(row.repels ?? {}));
    this.#wants = new Set(row.wants);
  }

  static of(row: MachineRoom, machine: Machine | undefined): MachineBooks {
    const state = machine?.status.state ?? 'provisioning';
    const coming = state === 'provisioning' || state === 'booting';
    const usable = (coming || state === 'ready') && row.closed !== true && machine?.cordon === undefined;
    const { size, zone, labels = {} } = machine ?? row;
    return new MachineBooks(row, { usable, coming, size, zone, labels }, machine !== undefined);
  }

  countOf(group: string): number {
    return (this.#groups.get(group) ?? 0) + (this.#agents.size > 0 ? (this.#agents.get(group) ?? 0) : 0);
  }

  *groups(): Generator<string> {
    yield* this.#groups.keys();
    yield* this.#agents.keys();
  }

  repelled(): Iterable<string> {
    return this.#repels.keys();
  }

  repels(group: string): boolean {
    return this.#repels.size > 0 && (this.#repels.get(group) ?? 0) > 0;
  }

  take(one: Reservation): void {
    const { cpu, memory, port, gpus, fixed, wishes } = one;
    this.#changed = true;
    this.freeCpu = tidy(this.freeCpu - cpu);
    this.freeMemory -= memory;
    if (port !== undefined) {
      this.ports.push(port);
      this.nextPort = port + 1;
    }
    if (gpus !== undefined) this.gpus.push(...gpus);
    for (const name of fixed ?? []) this.fixed.add(name);
    this.#count(one, 1);
    if (!this.#recorded && wishes?.constraints !== undefined)
      for (const constraint of madeSo(wishes.constraints)) this.#wants.add(constraint);
  }

  giveBack(one: Reservation): void {
    const { cpu, memory, port, gpus = [], fixed = [] } = one;
    this.#changed = true;
    this.freeCpu = tidy(this.freeCpu + cpu);
    this.freeMemory += memory;
    if (port !== undefined) remove(this.ports, port);
    for (const gpu of gpus) remove(this.gpus, gpu);
    for (const name of fixed) this.fixed.delete(name);
    this.#count(one, -1);
  }

  #count({ group, set = group, wishes, follows }: Reservation, by: 1 | -1): void {
    const counts = follows === true ? this.#agents : this.#groups;
    change(counts, group, by);
    if (set !== group) change(counts, set, by);
    for (const other of wishes?.antiAffinity ?? []) change(this.#repels, other, by);
  }

  /** The row as it is to be; the one that was read, if nothing changed. */
  row(): MachineRoom {
    if (!this.#changed) return this.#row;
    const row: MachineRoom = {
      ...this.#row,
      freeCpu: this.freeCpu,
      freeMemory: this.freeMemory,
      ports: this.ports.slice(),
      nextPort: this.nextPort,
      groups: Object.fromEntries(this.#groups),
      agents: Object.fromEntries(this.#agents),
      repels: Object.fromEntries(this.#repels),
      gpus: this.gpus.slice(),
      fixed: [...this.fixed],
      wants: [...this.#wants],
    };
    if (this.#agents.size === 0) delete row.agents;
    if (this.#repels.size === 0) delete row.repels;
    if (this.gpus.length === 0) delete row.gpus;
    if (this.fixed.size === 0) delete row.fixed;
    if (this.#wants.size === 0) delete row.wants;
    return row;
  }
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

function remove(list: number[], one: number): void {
  const at = list.indexOf(one);
  if (at >= 0) list.splice(at, 1);
}
