import { z } from 'zod';
import { RepositoryName } from '../model/image.ts';
import { tableKey } from '../state/key.ts';
import type { Tables } from '../state/tables.ts';

/** Table `repositories` has them too, in a partition of their own: nothing need have been pushed there but blobs. */
const TABLE = 'repositories';
const LINKED = 'linked';
const Linked = z.object({ name: RepositoryName });

/** Repositories that this process has noted, by the tables that they lie in. */
const noted = new WeakMap<Tables, Set<RepositoryName>>();
/** What was noted long ago may be noted again. */
const MOST = 100_000;

/**
 * Notes that blobs are linked to a repository, before the first is: an image may never follow, and then garbage collection finds
 * them by this alone. Writes once for each process and repository.
 */
export async function noteLinked(tables: Tables, name: RepositoryName): Promise<void> {
  const names = noted.get(tables) ?? new Set();
  noted.set(tables, names);
  if (names.has(name)) return;
  await tables.commit(TABLE, LINKED, [{ kind: 'upsert', row: tableKey(name), values: { name } }]);
  if (names.size >= MOST) names.clear();
  names.add(name);
}

export async function* listLinked(
  tables: Tables,
  last?: string,
): AsyncIterable<{ readonly name: RepositoryName }> {
  const range = { partition: LINKED, ...(last === undefined ? {} : { from: tableKey(last) }) };
  for await (const { values } of tables.list(TABLE, range)) {
    const { name } = Linked.parse(values);
    if (name !== last) yield { name };
  }
}
