import type { TokenCredential } from '@azure/identity';
import {
  ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from '@azure/service-bus';
import type { DeadLetter, DeadLetterQueue } from './dead-letters.ts';
import type { Refusals } from './refusals.ts';

/** Property that names a replayed message's first id: the queue's duplicate detection would swallow the same one. */
export const ORIGINAL_ID = 'berth-original-id';

/**
 * Dead-letter sub-queue of a Service Bus queue.
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues
 */
export function serviceBusDeadLetters(
  connection: { namespace: string; endpoint: string | undefined; credential: TokenCredential },
  queue: string,
  refusals: Refusals,
): DeadLetterQueue {
  const { namespace, endpoint, credential } = connection;
  const withClient = async <T>(use: (client: ServiceBusClient) => Promise<T>): Promise<T> => {
    const client = new ServiceBusClient(
      namespace,
      credential,
      endpoint === undefined ? {} : { customEndpointAddress: endpoint },
    );
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  };
  const letter = async (message: ServiceBusReceivedMessage): Promise<DeadLetter> => {
    const messageId = String(message.messageId ?? '');
    const refusal = await refusals.of(`queue/${queue}`, messageId);
    return {
      queue: 'service-bus',
      id: String(message.sequenceNumber),
      messageId,
      enqueuedAt: (message.enqueuedTimeUtc ?? new Date(0)).toISOString(),
      deliveries: message.deliveryCount ?? 0,
      reason: refusal?.code ?? message.deadLetterReason ?? 'unknown',
      description: refusal?.message ?? message.deadLetterErrorDescription ?? '',
      body: typeof message.body === 'string' ? message.body : JSON.stringify(message.body),
    };
  };

  return {
    list: () =>
      withClient(async (client) => {
        const receiver = client.createReceiver(queue, { subQueueType: 'deadLetter' });
        const letters: DeadLetter[] = [];
        for (;;) {
          const messages = await receiver.peekMessages(100);
          if (messages.length === 0) return letters;
          for (const message of messages) letters.push(await letter(message));
        }
      }),
    replay: (ids) =>
      withClient(async (client) => {
        const receiver = client.createReceiver(queue, {
          subQueueType: 'deadLetter',
          receiveMode: 'peekLock',
        });
        const sender = client.createSender(queue);
        let sent = 0;
        await eachMessage(receiver, async (message) => {
          if (ids !== 'all' && !ids.includes(String(message.sequenceNumber))) return 'keep';
          const original = String(message.applicationProperties?.[ORIGINAL_ID] ?? message.messageId ?? '');
          await sender.sendMessages({
            body: message.body,
            ...(message.contentType === undefined ? {} : { contentType: message.contentType }),
            messageId: `${original}-replay-${message.sequenceNumber}`,
            applicationProperties: { ...message.applicationProperties, [ORIGINAL_ID]: original },
          });
          await receiver.completeMessage(message);
          await refusals.forget(`queue/${queue}`, String(message.messageId ?? ''));
          sent += 1;
          return 'taken';
        });
        return sent;
      }),
  };
}

/** Locks every message once; those that are kept are given back when all were seen, so that none comes twice. */
async function eachMessage(
  receiver: ServiceBusReceiver,
  visit: (message: ServiceBusReceivedMessage) => Promise<'keep' | 'taken'>,
): Promise<void> {
  const kept: ServiceBusReceivedMessage[] = [];
  try {
    for (;;) {
      const messages = await receiver.receiveMessages(32, { maxWaitTimeInMs: 1_000 });
      if (messages.length === 0) return;
      for (const message of messages) if ((await visit(message)) === 'keep') kept.push(message);
    }
  } finally {
    for (const message of kept) await receiver.abandonMessage(message);
  }
}
