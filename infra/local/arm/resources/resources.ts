import type { Database } from './database.ts';
import type { Kind, Resource } from './resource.ts';

/** Every resource of the subscription, on disk. */
export interface Resources {
  get(id: string): Resource | undefined;
  /** The resource of this kind, or undefined: an id of another kind is not found. */
  find(kind: Kind, id: string): Resource | undefined;
  put(resource: Resource): void;
  remove(id: string): void;
  /** In the order of their names; of one group, or of the whole subscription. */
  list(kind: Kind, group?: string): readonly Resource[];
}

const parse = (row: unknown): Resource => JSON.parse((row as { document: string }).document) as Resource;

export function resources(database: Database): Resources {
  const select = database.sql.prepare('SELECT document FROM resources WHERE id = ?');
  const upsert = database.sql.prepare(
    'INSERT INTO resources (id, kind, grp, document) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
  );
  const remove = database.sql.prepare('DELETE FROM resources WHERE id = ?');
  const byKind = database.sql.prepare('SELECT document FROM resources WHERE kind = ? ORDER BY id');
  const byGroup = database.sql.prepare(
    'SELECT document FROM resources WHERE kind = ? AND grp = ? ORDER BY id',
  );
  const get = (id: string): Resource | undefined => {
    const row = select.get(id.toLowerCase());
    return row === undefined ? undefined : parse(row);
  };
  return {
    get,
    find(kind, id) {
      const resource = get(id);
      return resource?.kind === kind ? resource : undefined;
    },
    put(resource) {
      upsert.run(
        resource.id.toLowerCase(),
        resource.kind,
        resource.group.toLowerCase(),
        JSON.stringify(resource),
      );
    },
    remove: (id) => void remove.run(id.toLowerCase()),
    list: (kind, group) =>
      (group === undefined ? byKind.all(kind) : byGroup.all(kind, group.toLowerCase())).map(parse),
  };
}
