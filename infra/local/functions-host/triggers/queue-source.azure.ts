import type { TokenCredential } from '@azure/identity';
import { type QueueClient, QueueServiceClient, RestError } from '@azure/storage-queue';
import type { QueueSource } from './queue-source.ts';

/** @param encoding of the messages' text: host.json's `messageEncoding` */
export function azureQueueSource(
  uri: string,
  credential: TokenCredential,
  queueName: string,
  encoding: 'base64' | 'none',
): QueueSource {
  const service = new QueueServiceClient(uri, credential);
  const queue = service.getQueueClient(queueName);
  const poisonQueue = service.getQueueClient(`${queueName}-poison`);
  const decode = (text: string) => (encoding === 'base64' ? Buffer.from(text, 'base64').toString() : text);
  const encode = (text: string) => (encoding === 'base64' ? Buffer.from(text).toString('base64') : text);
  return {
    async receive(numberOfMessages, visibilityTimeout) {
      const found = await ifThere(queue.receiveMessages({ numberOfMessages, visibilityTimeout }));
      return (found?.receivedMessageItems ?? []).map((item) => ({
        id: item.messageId,
        text: decode(item.messageText),
        popReceipt: item.popReceipt,
        dequeueCount: item.dequeueCount,
        insertedOn: item.insertedOn,
        expiresOn: item.expiresOn,
        nextVisibleOn: item.nextVisibleOn,
      }));
    },
    async hide({ id, text }, popReceipt, seconds) {
      return (await ifThere(queue.updateMessage(id, popReceipt, encode(text), seconds)))?.popReceipt;
    },
    async delete({ id }, popReceipt) {
      await ifThere(queue.deleteMessage(id, popReceipt));
    },
    async poison({ text }) {
      await send(poisonQueue, encode(text));
    },
  };
}

async function send(queue: QueueClient, text: string): Promise<void> {
  await queue.createIfNotExists();
  await queue.sendMessage(text, { messageTimeToLive: -1 });
}

/** Undefined where the queue is missing, or the message was taken by another host meanwhile. */
async function ifThere<Result>(request: Promise<Result>): Promise<Result | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof RestError && (error.statusCode === 404 || error.code === 'PopReceiptMismatch'))
      return undefined;
    throw error;
  }
}
