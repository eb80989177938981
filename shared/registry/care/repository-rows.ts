import { RepositoryName } from '../../model/image.ts';
import type { Row, Tables } from '../../state/tables.ts';
import { listRepositories, REGISTRY, rowsOf } from '../repository.ts';

/** Rows of a page, and repositories of which a page may find nothing. */
const ROWS = 500;
const REPOSITORIES = 200;

export interface RepositoryRow {
  readonly repository: RepositoryName;
  readonly row: Row;
}

/**
 * The next rows with this prefix, repository by repository.
 * @param list the repositories, by name, after the last
 * @param cursor `<repository>` or `<repository> <row>`: what was seen last
 */
export async function repositoryRows(
  tables: Tables,
  prefix: string,
  cursor: string | undefined,
  list: (
    tables: Tables,
    last?: string,
  ) => AsyncIterable<{ readonly name: RepositoryName }> = listRepositories,
): Promise<{ readonly rows: readonly RepositoryRow[]; readonly cursor: string | undefined }> {
  const rows: RepositoryRow[] = [];
  const [last, lastRow] = cursor?.split(' ') ?? [];
  /** @returns whether the page is full */
  const take = async (repository: RepositoryName, after?: string): Promise<boolean> => {
    const range = rowsOf(repository, prefix);
    for await (const row of tables.list(REGISTRY, after === undefined ? range : { ...range, from: after })) {
      if (row.row === after) continue;
      rows.push({ repository, row });
      if (rows.length === ROWS) return true;
    }
    return false;
  };
  const ended = () => {
    const end = rows.at(-1);
    return { rows, cursor: end && `${end.repository} ${end.row.row}` };
  };
  if (lastRow !== undefined && (await take(RepositoryName.parse(last), lastRow))) return ended();
  let visited = 0;
  for await (const { name } of list(tables, last)) {
    if (await take(name)) return ended();
    visited += 1;
    if (visited === REPOSITORIES) return { rows, cursor: name };
  }
  return { rows, cursor: undefined };
}
