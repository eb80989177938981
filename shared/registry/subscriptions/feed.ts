import { RepositoryName } from '../../model/image.ts';
import { tableKey } from '../../state/key.ts';
import { Conflict, type Tables } from '../../state/tables.ts';

/**
 * A repository whose activity subscriptions hear of: one of ours by its name, one elsewhere as `~<host>/<name>`, which is none of
 * ours since no name begins so. Its queues lie in the partition `tableKey(feed)` of table `registry`.
 */
export type Feed = string;

/** What patterns of subscriptions are held against, and people see. */
export const nameOfFeed = (feed: Feed): string => feed.replace(/^~/, '');
export const outsideFeed = (host: string, repository: string): Feed => `~${host}/${repository}`;
export const isOurs = (feed: Feed): feed is RepositoryName => RepositoryName.safeParse(feed).success;

const TABLE = 'repositories';
const OUTSIDE = 'outside';

/** Feeds of elsewhere in whose queues something may stand: a row each until it was seen that nothing does. */
export async function* outsideFeeds(
  tables: Tables,
): AsyncIterable<{ readonly feed: Feed; readonly heardAt: Date; readonly etag: string }> {
  for await (const { values, etag } of tables.list(TABLE, { partition: OUTSIDE }))
    yield { feed: String(values.feed), heardAt: new Date(String(values.heardAt)), etag };
}

/** To be called before something is put into a queue of this feed. */
export async function markOutside(tables: Tables, feed: Feed, now: Date): Promise<void> {
  const values = { feed, heardAt: now.toISOString() };
  await tables.commit(TABLE, OUTSIDE, [{ kind: 'upsert', row: tableKey(feed), values }]);
}

/** Nothing stands in its queues; unless something was put there since. */
export async function settleOutside(tables: Tables, feed: Feed, etag: string): Promise<void> {
  try {
    await tables.commit(TABLE, OUTSIDE, [{ kind: 'delete', row: tableKey(feed), etag }]);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}
