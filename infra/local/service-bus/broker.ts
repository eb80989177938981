import type { Consumer } from './consumer.ts';
import { type Entity, pathOf, type QueueSettings } from './queue.ts';
import type { QueueStore } from './queue-store.ts';

/** Gives messages to those who wait for them, as they come, as time passes, and in turn. */
export interface Broker {
  add(consumer: Consumer): void;
  remove(consumer: Consumer): void;
  /** Something changed: see who can be given what. */
  pump(queue: QueueSettings): void;
  close(): void;
}

/** So many in one transaction: few enough for several receivers to share. */
const portion = 20;
/** Node's timers hold no longer. */
const longestTimer = 2 ** 31 - 1;

export function broker(store: QueueStore): Broker {
  const waiting = new Map<string, Consumer[]>();
  const timers = new Map<string, NodeJS.Timeout>();
  let closed = false;

  const feedAll = (entity: Entity): void => {
    const consumers = waiting.get(pathOf(entity)) ?? [];
    let fed = true;
    while (fed) {
      fed = false;
      for (const consumer of [...consumers]) {
        const room = consumer.room();
        if (room <= 0) continue;
        const count = consumer.feed(Math.min(room, portion));
        if (count === 0) return;
        fed = true;
        // The last one served is the last in the row.
        consumers.push(...consumers.splice(consumers.indexOf(consumer), 1));
      }
    }
  };

  const again = (queue: QueueSettings, wait: number): void => {
    clearTimeout(timers.get(queue.name));
    const milliseconds = Math.min(Math.max(wait, 1), longestTimer);
    timers.set(queue.name, setTimeout(() => pump(queue), milliseconds).unref());
  };
  const pump = (queue: QueueSettings): void => {
    if (closed) return;
    try {
      store.passTime(queue);
      for (const dead of [false, true]) feedAll({ queue, dead });
      const next = store.nextDue(queue);
      if (next !== undefined) again(queue, next - Date.now());
    } catch (error) {
      // The disk, mostly: messages wait where they are.
      console.error(`Service Bus, queue ${queue.name}:`, error);
      again(queue, 1000);
    }
  };

  return {
    add(consumer) {
      const path = pathOf(consumer.entity);
      waiting.set(path, [...(waiting.get(path) ?? []), consumer]);
    },
    remove(consumer) {
      const path = pathOf(consumer.entity);
      waiting.set(
        path,
        (waiting.get(path) ?? []).filter((other) => other !== consumer),
      );
    },
    pump,
    close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}
