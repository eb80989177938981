import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import type { Invoke } from '../core/invoke.ts';
import type { TypedData } from '../core/wire.ts';
import type { HostConfiguration } from '../host-json.ts';
import type { HostLog } from '../log.ts';
import { withinTimeout } from './invocation-time.ts';
import type { RunningTrigger } from './trigger.ts';

export interface ServiceBusParts {
  readonly functionName: string;
  /** Of the trigger's binding. */
  readonly trigger: string;
  /** Of the function, else host.json's. */
  readonly autoComplete: boolean;
  readonly invoke: Invoke;
  readonly configuration: HostConfiguration['serviceBus'];
  readonly functionTimeout: number;
  readonly log: HostLog;
}

export interface ServiceBusTriggerParts extends ServiceBusParts {
  /** In peek-lock mode, not parsing bodies. */
  readonly receiver: ServiceBusReceiver;
}

/**
 * Runs a function for each message of a Service Bus queue or subscription. With `autoComplete` the message of a function that succeeds is
 * completed; one that fails is abandoned, and the queue dead-letters it after its own number of tries.
 */
export function serviceBusTrigger(parts: ServiceBusTriggerParts): RunningTrigger {
  const { receiver, configuration, functionName, log } = parts;
  const subscription = receiver.subscribe(
    {
      processMessage: async (message) => await handleMessage(parts, receiver, message),
      processError: async ({ error }) => log.failure(`Service Bus of ${functionName}`, error),
    },
    {
      autoCompleteMessages: false,
      maxConcurrentCalls: configuration.maxConcurrentCalls,
    },
  );
  return {
    async stop() {
      await subscription.close();
      await receiver.close();
    },
  };
}

/** One call of the function, and what becomes of its message. */
export async function handleMessage(
  parts: ServiceBusParts,
  receiver: ServiceBusReceiver,
  message: ServiceBusReceivedMessage,
): Promise<void> {
  const { functionName, trigger, invoke, functionTimeout, log } = parts;
  try {
    const inputs = [{ name: trigger, data: { string: textOf(message.body) } }];
    await withinTimeout(
      functionName,
      functionTimeout,
      invoke(functionName, { inputs, metadata: metadataOf(message) }),
    );
  } catch (error) {
    log.failure(functionName, error);
    await receiver.abandonMessage(message);
    return;
  }
  if (parts.autoComplete) await receiver.completeMessage(message);
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? Buffer.from(body).toString() : JSON.stringify(body);
}

function metadataOf(message: ServiceBusReceivedMessage): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {
    DeliveryCount: { json: JSON.stringify((message.deliveryCount ?? 0) + 1) },
    LockToken: { string: message.lockToken ?? '' },
    SequenceNumber: { json: message.sequenceNumber?.toString() ?? '0' },
    ApplicationProperties: { json: JSON.stringify(message.applicationProperties ?? {}) },
  };
  const texts = {
    MessageId: message.messageId,
    CorrelationId: message.correlationId,
    Subject: message.subject,
    ContentType: message.contentType,
    ReplyTo: message.replyTo,
    To: message.to,
    SessionId: message.sessionId,
    PartitionKey: message.partitionKey,
    DeadLetterSource: message.deadLetterSource,
  };
  for (const [name, value] of Object.entries(texts))
    if (value !== undefined)
      metadata[name] = { string: Buffer.isBuffer(value) ? value.toString() : String(value) };
  const times = { EnqueuedTimeUtc: message.enqueuedTimeUtc, ExpiresAtUtc: message.expiresAtUtc };
  for (const [name, value] of Object.entries(times))
    if (value !== undefined) metadata[name] = { json: JSON.stringify(value.toISOString()) };
  return metadata;
}
