import type { Arm } from '../arm.ts';
import type { Json, Resource } from '../resources/resource.ts';
import type { ScriptState } from './guest.ts';

export type ChildKind = 'runCommands' | 'extensions';

/** A resource under a VM. It goes with its VM: one of the same name that is made later has another `vmId`. */
export interface Child {
  readonly id: string;
  readonly vm: string;
  readonly vmId: string;
  readonly kind: ChildKind;
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  /** What GET shows, without anything protected. */
  readonly properties: Json;
  /** Folder of the execution in the machine. */
  readonly folder: string;
  /** Of the settings, to see whether they changed. */
  readonly digest: string;
  readonly deleting: boolean;
  /** Whether the machine has it: until then nobody asks there. */
  readonly begun: boolean;
  /** How it ended; absent while it goes on. */
  readonly ended: ScriptState | undefined;
}

export interface Children {
  find(vm: Resource, kind: ChildKind, name: string): Child | undefined;
  byId(id: string): Child | undefined;
  list(vm: Resource, kind: ChildKind): readonly Child[];
  put(child: Child): void;
  remove(id: string): void;
  /** Those that an earlier process recorded and did not bring to their machine any more. */
  notBegun(): readonly Child[];
  /** Those of which no end is recorded. */
  going(): readonly Child[];
  /** A number that was not given before. */
  nextSequence(): number;
}

export const childId = (vm: Resource, kind: ChildKind, name: string): string => `${vm.id}/${kind}/${name}`;

export function children({ database, resources }: Pick<Arm, 'database' | 'resources'>): Children {
  const { sql } = database;
  sql.exec(`
    CREATE TABLE IF NOT EXISTS children (id TEXT PRIMARY KEY, parent TEXT NOT NULL, document TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS executions (seq INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
  `);
  const one = sql.prepare('SELECT document FROM children WHERE id = ?');
  const all = sql.prepare('SELECT document FROM children WHERE parent = ? ORDER BY id');
  const every = sql.prepare('SELECT document FROM children');
  const upsert = sql.prepare(
    'INSERT INTO children (id, parent, document) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
  );
  const remove = sql.prepare('DELETE FROM children WHERE id = ?');
  const sequence = sql.prepare('INSERT INTO executions DEFAULT VALUES');
  const parse = (row: unknown): Child => JSON.parse((row as { document: string }).document) as Child;
  /** undefined for what a VM left that is gone. */
  const living = (child: Child): Child | undefined => {
    if (resources.find('vm', child.vm)?.properties.vmId === child.vmId) return child;
    remove.run(child.id.toLowerCase());
    return undefined;
  };
  const byId = (id: string): Child | undefined => {
    const row = one.get(id.toLowerCase());
    return row === undefined ? undefined : living(parse(row));
  };
  return {
    byId,
    find: (vm, kind, name) => byId(childId(vm, kind, name)),
    list: (vm, kind) =>
      all
        .all(`${vm.id}/${kind}`.toLowerCase())
        .map(parse)
        .flatMap((child) => living(child) ?? []),
    put(child) {
      upsert.run(child.id.toLowerCase(), `${child.vm}/${child.kind}`.toLowerCase(), JSON.stringify(child));
    },
    remove: (id) => void remove.run(id.toLowerCase()),
    notBegun: () =>
      every
        .all()
        .map(parse)
        .filter(({ begun }) => !begun),
    going: () =>
      every
        .all()
        .map(parse)
        .filter(({ begun, ended }) => begun && ended === undefined)
        .flatMap((child) => living(child) ?? []),
    nextSequence: () => Number(sequence.run().lastInsertRowid),
  };
}

/** A child as its GET answers. */
export const renderChild = (child: Child, properties: Json = child.properties): Json => ({
  name: child.name,
  id: child.id,
  type: `Microsoft.Compute/virtualMachines/${child.kind}`,
  location: child.location,
  ...(Object.keys(child.tags).length > 0 ? { tags: child.tags } : {}),
  properties,
});
