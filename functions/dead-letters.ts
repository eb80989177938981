import type { DeadLetter, DeadLetterQueue } from '../shared/events/dead-letters.ts';

/** Both queues' dead letters as one list. */
export function deadLettersOf(queues: {
  readonly 'service-bus': DeadLetterQueue;
  readonly storage: DeadLetterQueue;
}): DeadLetterQueue {
  return {
    async list() {
      const lists = await Promise.all([queues['service-bus'].list(), queues.storage.list()]);
      return lists.flat().sort((left: DeadLetter, right) => left.enqueuedAt.localeCompare(right.enqueuedAt));
    },
    async replay(ids) {
      const counts = await Promise.all([queues['service-bus'].replay(ids), queues.storage.replay(ids)]);
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}
