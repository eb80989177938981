import { setTimeout as wait } from 'node:timers/promises';
import type { Invoke } from '../core/invoke.ts';
import type { TypedData } from '../core/wire.ts';
import type { HostConfiguration } from '../host-json.ts';
import type { HostLog } from '../log.ts';
import { withinTimeout } from './invocation-time.ts';
import type { QueueMessage, QueueSource } from './queue-source.ts';
import type { RunningTrigger } from './trigger.ts';

export interface QueueTriggerParts {
  readonly functionName: string;
  /** Of the trigger's binding. */
  readonly trigger: string;
  readonly source: QueueSource;
  readonly invoke: Invoke;
  readonly configuration: HostConfiguration['queues'];
  readonly functionTimeout: number;
  readonly log: HostLog;
}

/** Seconds that a message stays hidden while its function runs, and how often that is renewed. */
const hiddenSeconds = 60;
const renewEvery = 20_000;
/** Milliseconds: the shortest pause between looks at an empty queue. */
const shortestPause = 100;

/**
 * Runs a function for each message of a storage queue. A message whose function fails becomes visible again after
 * `visibilityTimeout`, and after `maxDequeueCount` tries goes to the poison queue.
 */
export function queueTrigger(parts: QueueTriggerParts): RunningTrigger {
  const { source, configuration, functionName, log } = parts;
  const threshold = configuration.newBatchThreshold ?? Math.floor(configuration.batchSize / 2);
  const stopped = new AbortController();
  const running = new Set<Promise<void>>();
  let pause = shortestPause;

  const poll = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      if (running.size > threshold) {
        await Promise.race(running);
        continue;
      }
      try {
        const messages = await source.receive(configuration.batchSize, hiddenSeconds);
        for (const message of messages) {
          const work = handle(parts, message)
            .catch((error: unknown) => log.failure(`queue of ${functionName}`, error))
            .finally(() => running.delete(work));
          running.add(work);
        }
        pause =
          messages.length > 0
            ? 0
            : Math.min(configuration.maxPollingInterval, Math.max(shortestPause, pause * 2));
      } catch (error) {
        log.failure(`queue of ${functionName}`, error);
        pause = configuration.maxPollingInterval;
      }
      if (pause > 0) await wait(pause, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const polling = poll();
  return {
    async stop() {
      stopped.abort();
      await polling;
      await Promise.all(running);
    },
  };
}

async function handle(parts: QueueTriggerParts, message: QueueMessage): Promise<void> {
  const { source, configuration, functionName, trigger, invoke, functionTimeout, log } = parts;
  let receipt: string | undefined = message.popReceipt;
  let renewal: Promise<void> = Promise.resolve();
  const renewing = setInterval(() => {
    renewal = renewal.then(async () => {
      if (receipt !== undefined) receipt = await source.hide(message, receipt, hiddenSeconds);
    });
    renewal.catch((error: unknown) => log.failure(`queue of ${functionName}`, error));
  }, renewEvery);
  let failed = false;
  try {
    const inputs = [{ name: trigger, data: { string: message.text } }];
    await withinTimeout(
      functionName,
      functionTimeout,
      invoke(functionName, { inputs, metadata: metadataOf(message) }),
    );
  } catch (error) {
    failed = true;
    log.failure(functionName, error);
  } finally {
    clearInterval(renewing);
    await renewal.catch(() => undefined);
  }
  if (receipt === undefined) return;
  if (!failed) return await source.delete(message, receipt);
  if (message.dequeueCount < configuration.maxDequeueCount) {
    await source.hide(message, receipt, Math.ceil(configuration.visibilityTimeout / 1000));
    return;
  }
  await source.poison(message);
  await source.delete(message, receipt);
}

function metadataOf(message: QueueMessage): Record<string, TypedData> {
  const time = (date: Date): TypedData => ({ json: JSON.stringify(date.toISOString()) });
  return {
    QueueTrigger: { string: message.text },
    Id: { string: message.id },
    PopReceipt: { string: message.popReceipt },
    DequeueCount: { json: String(message.dequeueCount) },
    InsertionTime: time(message.insertedOn),
    ExpirationTime: time(message.expiresOn),
    NextVisibleTime: time(message.nextVisibleOn),
  };
}
