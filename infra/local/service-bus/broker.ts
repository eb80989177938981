import type { Consumer } from './consumer.ts';
import { type Entity, pathOf, type QueueSettings, type TopicSettings } from './queue.ts';
import type { QueueStore } from './queue-store.ts';

/** A link that waits for any session of its queue. */
export interface Waiter {
  readonly entity: Entity;
  /** Takes a session that is free. @returns false if there is none */
  offer(): boolean;
}

/** Gives messages to those who wait for them, as they come, as time passes, and in turn. */
export interface Broker {
  add(consumer: Consumer): void;
  remove(consumer: Consumer): void;
  /** In a row: who came first gets the next session. */
  wait(waiter: Waiter): void;
  stopWaiting(waiter: Waiter): void;
  /** Something changed: see who can be given what. */
  pump(queue: QueueSettings): void;
  /** The same for the subscriptions of a topic, and for what is scheduled in it. */
  pumpTopic(topic: TopicSettings): void;
  close(): void;
}

/** So many in one transaction: few enough for several receivers to share. */
const portion = 20;
/** Node's timers hold no longer. */
const longestTimer = 2 ** 31 - 1;

export function broker(store: QueueStore): Broker {
  const consumers = new Map<string, Consumer[]>();
  const waiters = new Set<Waiter>();
  const timers = new Map<string, NodeJS.Timeout>();
  let closed = false;

  const feedAll = (entity: Entity): void => {
    const row = consumers.get(pathOf(entity)) ?? [];
    let fed = true;
    while (fed) {
      fed = false;
      for (const consumer of [...row]) {
        const room = consumer.room();
        if (room <= 0) continue;
        const count = consumer.feed(Math.min(room, portion));
        // Of a session others may have more; of a queue nobody has.
        if (count === 0 && consumer.session === undefined) return;
        if (count === 0) continue;
        fed = true;
        // The last one served is the last in the row.
        row.push(...row.splice(row.indexOf(consumer), 1));
      }
    }
  };
  const loseExpired = (entity: Entity): void => {
    for (const consumer of [...(consumers.get(pathOf(entity)) ?? [])]) {
      const { session } = consumer;
      if (session === undefined || store.heldUntil(entity.queue, session) !== undefined) continue;
      remove(consumer);
      consumer.lose();
    }
  };
  const offerSessions = ({ queue }: Entity): void => {
    for (const waiter of [...waiters]) if (waiter.entity.queue === queue && !waiter.offer()) return;
  };

  const again = (name: string, due: number | undefined, work: () => void): void => {
    if (due === undefined) return;
    clearTimeout(timers.get(name));
    const milliseconds = Math.min(Math.max(due - Date.now(), 1), longestTimer);
    timers.set(name, setTimeout(work, milliseconds).unref());
  };
  /** Does what a queue or topic has to do now, and once more when it is due. */
  const attend = (name: string, work: () => number | undefined): void => {
    if (closed) return;
    const turn = () => attend(name, work);
    try {
      again(name, work(), turn);
    } catch (error) {
      // The disk, mostly: messages wait where they are.
      console.error(`Service Bus, ${name}:`, error);
      again(name, Date.now() + 1000, turn);
    }
  };
  const pump = (queue: QueueSettings): void =>
    attend(queue.name, () => {
      store.passTime(queue);
      if (queue.requiresSession) {
        loseExpired({ queue, dead: false });
        offerSessions({ queue, dead: false });
      }
      for (const dead of [false, true]) feedAll({ queue, dead });
      return store.nextDue(queue);
    });
  const pumpTopic = (topic: TopicSettings): void =>
    attend(topic.name, () => {
      store.passTopicTime(topic);
      for (const subscription of topic.subscriptions) pump(subscription);
      return store.nextTopicDue(topic);
    });
  const remove = (consumer: Consumer): void => {
    const path = pathOf(consumer.entity);
    consumers.set(
      path,
      (consumers.get(path) ?? []).filter((other) => other !== consumer),
    );
  };

  return {
    add(consumer) {
      const path = pathOf(consumer.entity);
      consumers.set(path, [...(consumers.get(path) ?? []), consumer]);
    },
    remove,
    wait: (waiter) => waiters.add(waiter),
    stopWaiting: (waiter) => waiters.delete(waiter),
    pump,
    pumpTopic,
    close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      consumers.clear();
      waiters.clear();
    },
  };
}
