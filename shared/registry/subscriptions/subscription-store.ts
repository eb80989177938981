import { Terminal } from '../../model/errors.ts';
import { Subscription } from '../../model/subscription.ts';
import { documents } from '../../state/documents.ts';
import type { Tables } from '../../state/tables.ts';
import { type Audience, audienceIn } from './audience.ts';

/** How long this process goes on with the subscriptions that it read, milliseconds: a change holds everywhere after that. */
const FRESH_MS = 3_000;
/** A transaction has 100 rows, and each subscription may take one of them. */
export const MOST_SUBSCRIPTIONS = 40;
const PARTITION = 'subscription';

/** Table `subscriptions`: one document a name. */
export interface SubscriptionStore extends Audience {
  list(): Promise<readonly Subscription[]>;
  get(name: string): Promise<Subscription | undefined>;
  /** @throws Terminal 409 `subscriptions-too-many` */
  put(subscription: Subscription): Promise<void>;
  /** One that is not there is removed already. */
  remove(name: string): Promise<void>;
}

export function subscriptionStore(tables: Tables, now: () => Date): SubscriptionStore {
  const store = documents(tables, 'subscriptions', Subscription);
  let read: { readonly at: number; readonly all: Promise<readonly Subscription[]> } | undefined;
  const list = async (): Promise<readonly Subscription[]> => {
    const found: Subscription[] = [];
    for await (const { value } of store.list({ partition: PARTITION })) found.push(value);
    return found;
  };
  const fresh = (): Promise<readonly Subscription[]> => {
    const at = now().getTime();
    if (read === undefined || at - read.at >= FRESH_MS || at < read.at) {
      const all = list();
      read = { at, all };
      // A failure is not kept: the next call reads again.
      all.catch(() => {
        read = undefined;
      });
    }
    return read.all;
  };
  return {
    of: async (repository) => audienceIn(await fresh(), repository),
    list,
    get: async (name) => (await store.get(PARTITION, name))?.value,
    async put(subscription) {
      const others = (await list()).filter(({ name }) => name !== subscription.name);
      if (others.length >= MOST_SUBSCRIPTIONS)
        throw new Terminal({
          code: 'subscriptions-too-many',
          status: 409,
          message: `There are ${MOST_SUBSCRIPTIONS} subscriptions already, which is the most that there can be.`,
          remedy: 'Delete one that nobody needs: berth registry subscriptions list.',
        });
      await store.upsert(PARTITION, subscription.name, subscription);
      read = undefined;
    },
    async remove(name) {
      await store.delete(PARTITION, name);
      read = undefined;
    },
  };
}
