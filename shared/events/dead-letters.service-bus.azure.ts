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
        return await Promise.all((await peekAll(receiver)).map(letter));
      }),
    replay: (ids) =>
      withClient(async (client) => {
        const receiver = client.createReceiver(queue, {
          subQueueType: 'deadLetter',
          receiveMode: 'peekLock',
        });
        const sender = client.createSender(queue);
        // Those that are there now: what is sent again may fail and come back while this goes on.
        const there = await peekAll(receiver);
        const wanted = new Set(
          there
            .map(({ sequenceNumber }) => String(sequenceNumber))
            .filter((number) => ids === 'all' || ids.includes(number)),
        );
        let sent = 0;
        await eachMessage(receiver, wanted, async (message) => {
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
        });
        return sent;
      }),
  };
}

async function peekAll(receiver: ServiceBusReceiver): Promise<readonly ServiceBusReceivedMessage[]> {
  const found: ServiceBusReceivedMessage[] = [];
  for (;;) {
    const messages = await receiver.peekMessages(100);
    if (messages.length === 0) return found;
    found.push(...messages);
  }
}

/** Locks messages until all that are wanted were visited; the others are given back at the end, so that none comes twice. */
async function eachMessage(
  receiver: ServiceBusReceiver,
  wanted: ReadonlySet<string>,
  visit: (message: ServiceBusReceivedMessage) => Promise<void>,
): Promise<void> {
  const left = new Set(wanted);
  const others: ServiceBusReceivedMessage[] = [];
  try {
    while (left.size > 0) {
      const messages = await receiver.receiveMessages(32, { maxWaitTimeInMs: 1_000 });
      if (messages.length === 0) return;
      for (const message of messages) {
        if (left.delete(String(message.sequenceNumber))) await visit(message);
        else others.push(message);
      }
    }
  } finally {
    for (const message of others) await receiver.abandonMessage(message);
  }
}
