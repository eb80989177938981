import type { RepositoryName, Tag } from '../../model/image.ts';
import { matchesPattern } from '../../model/pattern.ts';
import type { Subscription } from '../../model/subscription.ts';
import type { Tables } from '../../state/tables.ts';
import { type Activity, activityEvent } from '../activity.ts';
import {
  listRepositories,
  listTags,
  ManifestEntry,
  markHeard,
  partitionOf,
  REGISTRY,
  rowsOf,
} from '../repository.ts';
import { keyOf, nextStamp } from '../stamp.ts';
import { queueWrite } from '../subscriptions/queue.ts';

/** Rows of one transaction. */
const BATCH = 50;

type Pushed = Pick<Activity, 'tag' | 'digest' | 'mediaType' | 'size' | 'counter'>;

/**
 * Puts every tag, and every manifest that refers to another, into the queues of a replication, as if they were pushed now.
 * @returns repositories in whose queues something stands by now, and how much was put there
 */
export async function queueAll(
  tables: Tables,
  { name, repositories }: Pick<Subscription, 'name' | 'repositories'>,
  actor: string,
  now: () => Date,
): Promise<{ readonly repositories: readonly RepositoryName[]; readonly events: number }> {
  const mark = markHeard(tables, now);
  const queued: RepositoryName[] = [];
  let events = 0;
  for await (const { name: repository } of listRepositories(tables)) {
    if (!repositories.some((pattern) => matchesPattern(pattern, repository))) continue;
    const pushed = await pushedIn(tables, repository);
    if (pushed.length === 0) continue;
    await mark(repository);
    for (let from = 0; from < pushed.length; from += BATCH) {
      const writes = pushed.slice(from, from + BATCH).map((one) => {
        const at = now();
        const origin = { actor, method: 'sync', host: '' };
        const event = activityEvent(repository, { action: 'push', ...one, origin, at });
        return queueWrite(name, keyOf(nextStamp(at.getTime())), [event], at);
      });
      await tables.commit(REGISTRY, partitionOf(repository), writes);
      events += writes.length;
    }
    queued.push(repository);
  }
  return { repositories: queued, events };
}

/** Tags, and what has none but belongs to what has one: signatures and their like. */
async function pushedIn(tables: Tables, repository: RepositoryName): Promise<readonly Pushed[]> {
  const found: Pushed[] = [];
  for await (const { tag, digest, mediaType, size, counter } of listTags(tables, repository))
    found.push({ tag: tag as Tag, digest, mediaType, size, counter });
  for await (const { values } of tables.list(REGISTRY, rowsOf(repository, 'm!'))) {
    const { digest, mediaType, size, subject } = ManifestEntry.parse(values);
    if (subject !== undefined) found.push({ digest, mediaType, size });
  }
  return found;
}
