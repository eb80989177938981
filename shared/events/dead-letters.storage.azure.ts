import { RestError } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { QueueClient } from '@azure/storage-queue';
import type { DeadLetter, DeadLetterQueue } from './dead-letters.ts';
import type { Refusals } from './refusals.ts';

/** Seconds that a replay has to itself before others see its messages again. */
const LOCK_SECONDS = 30;

/** The poison queue beside a storage queue, where the app puts what it refuses and the host what keeps failing. */
export interface PoisonQueue extends DeadLetterQueue {
  put(body: string): Promise<{ readonly messageId: string }>;
}

/**
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#poison-messages
 * @param uri the queue endpoint
 */
export function storageDeadLetters(
  uri: string,
  credential: TokenCredential,
  queue: string,
  refusals: Refusals,
): PoisonQueue {
  const poison = new QueueClient(`${uri}/${queue}-poison`, credential);
  const main = new QueueClient(`${uri}/${queue}`, credential);
  const source = `storage-queue/${queue}`;

  return {
    async put(body) {
      await poison.createIfNotExists();
      return poison.sendMessage(body, { messageTimeToLive: -1 });
    },
    async list() {
      const found = await orEmpty(poison.peekMessages({ numberOfMessages: 32 }));
      return Promise.all(
        (found?.peekedMessageItems ?? []).map(async (message): Promise<DeadLetter> => {
          const refusal = await refusals.of(source, message.messageId);
          return {
            queue: 'storage',
            id: message.messageId,
            messageId: message.messageId,
            enqueuedAt: message.insertedOn.toISOString(),
            deliveries: message.dequeueCount,
            reason: refusal?.code ?? 'MaxDequeueCountExceeded',
            description: refusal?.message ?? 'The command failed each time that it was tried.',
            body: message.messageText,
          };
        }),
      );
    },
    async replay(ids) {
      let sent = 0;
      const kept: { messageId: string; popReceipt: string }[] = [];
      for (;;) {
        const found = await orEmpty(
          poison.receiveMessages({ numberOfMessages: 32, visibilityTimeout: LOCK_SECONDS }),
        );
        const messages = found?.receivedMessageItems ?? [];
        if (messages.length === 0) break;
        for (const message of messages) {
          if (ids !== 'all' && !ids.includes(message.messageId)) {
            kept.push(message);
            continue;
          }
          await main.sendMessage(message.messageText);
          await poison.deleteMessage(message.messageId, message.popReceipt);
          await refusals.forget(source, message.messageId);
          sent += 1;
        }
      }
      for (const { messageId, popReceipt } of kept)
        await poison.updateMessage(messageId, popReceipt, undefined, 0);
      return sent;
    },
  };
}

/** A queue that was never written to holds nothing. */
async function orEmpty<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return undefined;
    throw error;
  }
}
