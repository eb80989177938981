import { CloudEvent } from '../../model/cloud-event.ts';
import type { RepositoryName } from '../../model/image.ts';
import type { Action } from '../../model/subscription.ts';
import { documentOf } from '../../state/documents.ts';
import type { Row, Tables } from '../../state/tables.ts';
import { inParallel } from '../in-parallel.ts';
import { listRepositories, REGISTRY, rowsOf } from '../repository.ts';
import { newestFirst } from '../stamp.ts';

export interface AuditQuery {
  /** All that `may` allows if absent. */
  readonly repository?: RepositoryName | undefined;
  /** Only what was done after this. */
  readonly since?: Date | undefined;
  readonly action?: Action | undefined;
  /** Principal's id. */
  readonly actor?: string | undefined;
  readonly limit: number;
  /** Go on after this: what `next` of the page before says. */
  readonly after?: string | undefined;
}

export interface AuditPage {
  readonly events: readonly CloudEvent[];
  /** There may be more: ask for what comes after this. A page may be short, or empty, and have a next one. */
  readonly next: string | undefined;
}

/** Rows that one page looks at: where few match, the caller asks for the next. */
const MOST_READ = 5_000;
/** Repositories whose newest row is fetched at once. */
const WIDTH = 16;
/** Rows fetched at once where several repositories are merged. */
const FEW = 20;

/** What was done, newest first. */
export async function readAudit(
  tables: Tables,
  may: (repository: RepositoryName) => boolean,
  query: AuditQuery,
): Promise<AuditPage> {
  const { repository, action, actor, limit } = query;
  const repositories: RepositoryName[] = [];
  if (repository !== undefined) repositories.push(repository);
  else for await (const { name } of listRepositories(tables)) if (may(name)) repositories.push(name);
  const trails = repositories.map((name) => trailOf(tables, name, query, repositories.length > 1));

  const events: CloudEvent[] = [];
  let read = 0;
  for await (const { row, values } of newestOf(trails)) {
    const event = documentOf(CloudEvent, values);
    read += 1;
    const matches =
      (action === undefined || event.type === `dev.berth.registry.${action}`) &&
      (actor === undefined || actorOf(event) === actor);
    if (matches) events.push(event);
    if (events.length === limit || read === MOST_READ) return { events, next: row };
  }
  return { events, next: undefined };
}

export const actorOf = ({ data }: CloudEvent): string | undefined =>
  (data as { origin?: { actor?: string } } | undefined)?.origin?.actor;

function trailOf(
  tables: Tables,
  repository: RepositoryName,
  { since, after }: AuditQuery,
  merged: boolean,
): AsyncIterator<Row> {
  const range = {
    ...rowsOf(repository, 'a!'),
    // `!` is less than all that follows a shared beginning: the first key after this one.
    ...(after === undefined ? {} : { from: `${after}!` }),
    ...(since === undefined ? {} : { to: `a!${newestFirst(since.getTime() * 1000)}` }),
    ...(merged ? { page: FEW } : {}),
  };
  return tables.list(REGISTRY, range)[Symbol.asyncIterator]();
}

/** Rows of all trails by key, which is by time. */
async function* newestOf(trails: readonly AsyncIterator<Row>[]): AsyncIterable<Row> {
  const heads: { row: Row; trail: AsyncIterator<Row> }[] = [];
  await inParallel(trails, WIDTH, async (trail) => {
    const { value, done } = await trail.next();
    if (done !== true) heads.push({ row: value, trail });
  });
  for (;;) {
    heads.sort((a, b) => (a.row.row < b.row.row ? -1 : 1));
    const [first] = heads;
    if (first === undefined) return;
    yield first.row;
    const { value, done } = await first.trail.next();
    if (done === true) heads.shift();
    else first.row = value;
  }
}
