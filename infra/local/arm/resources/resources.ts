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

const parse = (document: string): Resource => frozen(JSON.parse(document));

/**
 * They are read from disk once: every VM that is made asks for all others, whose custom data alone is tens of kilobytes
 * each. What is handed out is shared, and so it is frozen.
 */
export function resources(database: Database): Resources {
  const all = database.sql.prepare('SELECT document FROM resources');
  const upsert = database.sql.prepare(
    'INSERT INTO resources (id, kind, grp, document) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
  );
  const remove = database.sql.prepare('DELETE FROM resources WHERE id = ?');
  const known = new Map<string, Resource>();
  const load = (): void => {
    known.clear();
    for (const { document } of all.all() as { document: string }[]) {
      const resource = parse(document);
      known.set(resource.id.toLowerCase(), resource);
    }
  };
  load();
  database.onRollback(load);

  const get = (id: string): Resource | undefined => known.get(id.toLowerCase());
  return {
    get,
    find(kind, id) {
      const resource = get(id);
      return resource?.kind === kind ? resource : undefined;
    },
    put(resource) {
      const [id, document] = [resource.id.toLowerCase(), JSON.stringify(resource)];
      upsert.run(id, resource.kind, resource.group.toLowerCase(), document);
      known.set(id, parse(document));
    },
    remove(id) {
      remove.run(id.toLowerCase());
      known.delete(id.toLowerCase());
    },
    list(kind, group) {
      const within = group?.toLowerCase();
      return [...known]
        .filter(
          ([, one]) => one.kind === kind && (within ?? one.group.toLowerCase()) === one.group.toLowerCase(),
        )
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([, one]) => one);
    },
  };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) frozen(part);
    Object.freeze(value);
  }
  return value;
}
