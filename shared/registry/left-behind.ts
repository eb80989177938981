import { CloudEvent } from '../model/cloud-event.ts';
import type { RepositoryName } from '../model/image.ts';
import { documentOf } from '../state/documents.ts';
import { Conflict, type Tables } from '../state/tables.ts';
import { type UnsentEvent, unsentEvent } from './push-event.ts';
import type { Left } from './record.ts';
import { listRepositories, REGISTRY, type RepositoryEntry, rowsOf, settle } from './repository.ts';
import { outsideFeeds, settleOutside } from './subscriptions/feed.ts';
import { waitingFor } from './subscriptions/queue.ts';

/** What was begun longer ago than any request lives has left all that it leaves. Milliseconds. */
const OVER = 15 * 60 * 1000;

/**
 * What was done and not yet passed on, oldest first within a repository: its request ended before that, or is about to do it.
 * Reads one row for each repository, and more only where something was done since it was last seen to be settled.
 */
export async function* leftBehind(tables: Tables, now: Date): AsyncIterable<Left> {
  for await (const entry of listRepositories(tables)) {
    if (!entry.unsettled) continue;
    const { name } = entry;
    const pushes = await unsentIn(tables, name);
    const subscriptions = await waitingFor(tables, name);
    if (pushes.length > 0 || subscriptions.length > 0) yield { feed: name, pushes, subscriptions };
    else if (now.getTime() - lastDone(entry) >= OVER) await settleUnlessMarked(tables, entry);
  }
  for await (const { feed, heardAt, etag } of outsideFeeds(tables)) {
    const subscriptions = await waitingFor(tables, feed);
    if (subscriptions.length > 0) yield { feed, pushes: [], subscriptions };
    else if (now.getTime() - heardAt.getTime() >= OVER) await settleOutside(tables, feed, etag);
  }
}

const lastDone = ({ pushedAt, heardAt }: RepositoryEntry): number =>
  Math.max(Date.parse(pushedAt), Date.parse(heardAt ?? pushedAt));

async function unsentIn(tables: Tables, repository: RepositoryName): Promise<UnsentEvent[]> {
  const found: UnsentEvent[] = [];
  for await (const { row, values } of tables.list(REGISTRY, rowsOf(repository, 'e!')))
    found.push(unsentEvent(tables, repository, row, documentOf(CloudEvent, values)));
  return found;
}

async function settleUnlessMarked(tables: Tables, entry: RepositoryEntry): Promise<void> {
  try {
    await settle(tables, entry);
  } catch (error) {
    // Something was done meanwhile.
    if (!(error instanceof Conflict)) throw error;
  }
}
