import { Machine } from '../model/machine.ts';
import type { MachineName, PoolName } from '../model/names.ts';
import { documents } from '../state/documents.ts';
import type { Tables } from '../state/tables.ts';
import { poolOf } from './machine-names.ts';

/** Records of machines: table `machines`, partition pool, row machine. */
export interface MachineStore {
  /** A machine by its name, which tells its pool. */
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
      const pool = poolOf(name);
      return pool && (await store.get(pool, name))?.value;
    },
    async add(machine) {
      const added = await store.update(machine.pool, machine.name, (current) =>
        current === undefined ? machine : undefined,
      );
      return added ?? machine;
    },
    async change(name, change) {
      const pool = poolOf(name);
      return pool && (await store.update(pool, name, (current) => current && change(current)));
    },
    async remove(name) {
      const pool = poolOf(name);
      if (pool !== undefined) await store.delete(pool, name);
    },
    async list(pool) {
      const found: Machine[] = [];
      for await (const { value } of store.list(pool === undefined ? {} : { partition: pool }))
        found.push(value);
      return found;
    },
  };
}
