import type { CloudEvent } from '../model/cloud-event.ts';
import type { RepositoryName } from '../model/image.ts';
import type { SubscriptionName } from '../model/subscription.ts';
import { documentValues } from '../state/documents.ts';
import type { Tables, Write } from '../state/tables.ts';
import { type Activity, activityEvent } from './activity.ts';
import { type UnsentEvent, unsentEvent } from './push-event.ts';
import { markHeard, partitionOf, REGISTRY } from './repository.ts';
import { keyOf, newestFirstKeyOf, nextStamp } from './stamp.ts';
import type { Audience } from './subscriptions/audience.ts';
import type { Feed } from './subscriptions/feed.ts';
import { queueWrite } from './subscriptions/queue.ts';

/** What activities leave to be passed on once their transaction is done. */
export interface Left {
  readonly feed: Feed;
  /** Pushes of tags and of signatures: services are rolled out for them. */
  readonly pushes: readonly UnsentEvent[];
  /** Subscriptions in whose queue something new stands. */
  readonly subscriptions: readonly SubscriptionName[];
}

/** Keeps the trail of what is done in repositories. */
export interface Recorder {
  /**
   * What activities of one repository leave: the audit row `a!…` of each, newest first; for a push of a tag or of a
   * signature the row `e!…`;
   * for each subscription that hears of it a row `q!…` of its queue. `writes` are part of the transaction that does it: one for
   * each activity, one more for each push of a tag, and at most MOST_SUBSCRIPTIONS. Call it again for another attempt.
   */
  leave(
    repository: RepositoryName,
    activities: readonly Activity[],
  ): Promise<{ readonly writes: readonly Write[]; readonly left: Left }>;
  /**
   * Records a pull; those of one repository that come together share a transaction, and the first of them gets what is to be
   * passed on.
   */
  pulled(repository: RepositoryName, activity: Activity): Promise<Left | undefined>;
}

/** Pulls of one transaction: beside them there is room for a row of every subscription. */
const MOST_PULLS = 50;

interface Waiting {
  readonly activity: Activity;
  readonly done: (left: Left | undefined) => void;
  readonly failed: (error: unknown) => void;
}

/** @param now when what is queued was put there, and for the memory of which repositories are marked already */
export function recorder(tables: Tables, audience: Audience, now: () => Date): Recorder {
  const mark = markHeard(tables, now);
  const waiting = new Map<RepositoryName, Waiting[]>();

  const leave: Recorder['leave'] = async (repository, activities) => {
    const audienceOf = await audience.of(repository);
    const writes: Write[] = [];
    const pushes: UnsentEvent[] = [];
    const heard = new Map<SubscriptionName, { stamp: number; events: [CloudEvent, ...CloudEvent[]] }>();
    for (const activity of activities) {
      const { action, tag, subject, counter, at } = activity;
      const event = activityEvent(repository, activity);
      const stamp = nextStamp(Math.max(at.getTime(), counter ?? 0));
      const values = documentValues(event);
      writes.push({ kind: 'insert', row: `a!${newestFirstKeyOf(stamp)}`, values });
      if (action === 'push' && (tag !== undefined || subject !== undefined)) {
        const row = `e!${keyOf(stamp)}`;
        writes.push({ kind: 'insert', row, values });
        pushes.push(unsentEvent(tables, repository, row, event));
      }
      for (const subscription of audienceOf(action)) {
        const entry = heard.get(subscription);
        if (entry === undefined) heard.set(subscription, { stamp, events: [event] });
        else entry.events.push(event);
      }
    }
    for (const [subscription, { stamp, events }] of heard)
      writes.push(queueWrite(subscription, keyOf(stamp), events, now()));
    // Before the transaction: who looks for what a crash left finds the repository by it. A mount may be a repository's first.
    if (heard.size > 0 || activities.some(({ action }) => action === 'mount')) await mark(repository);
    return { writes, left: { feed: repository, pushes, subscriptions: [...heard.keys()] } };
  };

  const record = async (repository: RepositoryName, batch: readonly Waiting[]): Promise<void> => {
    try {
      const activities = batch.map(({ activity }) => activity);
      const { writes, left } = await leave(repository, activities);
      await tables.commit(REGISTRY, partitionOf(repository), writes);
      for (const [index, { done }] of batch.entries()) done(index === 0 ? left : undefined);
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  };

  const pulled = (repository: RepositoryName, activity: Activity): Promise<Left | undefined> =>
    new Promise((done, failed) => {
      const others = waiting.get(repository);
      if (others !== undefined) {
        others.push({ activity, done, failed });
        return;
      }
      const queue: Waiting[] = [{ activity, done, failed }];
      waiting.set(repository, queue);
      void (async () => {
        while (queue.length > 0) await record(repository, queue.splice(0, MOST_PULLS));
        waiting.delete(repository);
      })();
    });

  return { leave, pulled };
}
