import { Machine } from '../model/machine.ts';
import type { MachineName, PoolName } from '../model/names.ts';
import { documents } from '../state/documents.ts';
import type { Tables } from '../state/tables.ts';
import { partitionsOf } from './machine-names.ts';

/** Records of machines: table `machines`, partition pool, row machine. */
export interface MachineStore {
  /** A machine by its name, which tells its pool, or that it was made by hand. */
  get(name: MachineName): Promise<Machine | undefined>;
  /** Records a machine, or answers the record that is there. */
  add(machine: Machine): Promise<Machine>;
  /** Reads, changes, writes with If-Match; `change` answers undefined to leave it. A machine without record stays so. */
  change(name: MachineName, change: (machine: Machine) => Machine | undefined): Promise<Machine | undefined>;
  remove(name: MachineName): Promise<void>;
  /** Of one pool, or of all. */
  list(pool?: PoolName): Promise<readonly Machine[]>;
}

export function machineStore(tables: Tables): MachineStore {
  const store = documents(tables, 'machines', Machine);
  return {
    async get(name) {
      for (const partition of partitionsOf(name)) {
        const found = await store.get(partition, name);
        if (found !== undefined) return found.value;
      }
      return undefined;
    },
    async add(machine) {
      const added = await store.update(machine.pool, machine.name, (current) =>
        current === undefined ? machine : undefined,
      );
      return added ?? machine;
    },
    async change(name, change) {
      for (const partition of partitionsOf(name)) {
        const changed = await store.update(partition, name, (current) => current && change(current));
        if (changed !== undefined) return changed;
      }
      return undefined;
    },
    async remove(name) {
      for (const partition of partitionsOf(name)) await store.delete(partition, name);
    },
    async list(pool) {
      const found: Machine[] = [];
      for await (const { value } of store.list(pool === undefined ? {} : { partition: pool }))
        found.push(value);
      return found;
    },
  };
}
