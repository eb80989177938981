import { setTimeout as sleep } from 'node:timers/promises';
import { isServiceBusError, type ServiceBusSessionReceiver } from '@azure/service-bus';
import { handleMessage, type ServiceBusParts } from './service-bus.ts';
import type { RunningTrigger } from './trigger.ts';

export interface SessionTriggerParts extends ServiceBusParts {
  /** The next session that is free; it fails with `ServiceTimeout` where for a while there is none. */
  readonly accept: (signal: AbortSignal) => Promise<ServiceBusSessionReceiver>;
}

/** Milliseconds after which a namespace that is away is asked again. */
const PAUSE = 1_000;

/**
 * Runs a function for the messages of sessions: of each session one after the other in their order, of several sessions at
 * once. A session is let go when nothing came for a while.
 */
export function sessionTrigger(parts: SessionTriggerParts): RunningTrigger {
  const { accept, configuration, functionName, log } = parts;
  const ending = new AbortController();
  const { signal } = ending;
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const open = new Set<ServiceBusSessionReceiver>();

  const serve = async (receiver: ServiceBusSessionReceiver): Promise<void> => {
    while (!signal.aborted) {
      const [message] = await receiver.receiveMessages(1, {
        maxWaitTimeInMs: configuration.sessionIdleTimeout,
      });
      if (message === undefined) return;
      await handleMessage(parts, receiver, message);
    }
  };
  const serveOne = async (): Promise<void> => {
    // The library hears of the signal only when its own wait is over.
    const accepting = accept(signal);
    const receiver = await Promise.race([accepting, aborted]);
    if (receiver === undefined) {
      accepting.then(
        (late) => late.close(),
        () => {},
      );
      return;
    }
    open.add(receiver);
    try {
      await serve(receiver);
    } finally {
      open.delete(receiver);
      await receiver.close();
    }
  };
  const work = async (): Promise<void> => {
    while (!signal.aborted)
      try {
        await serveOne();
      } catch (error) {
        if (signal.aborted || (isServiceBusError(error) && error.code === 'ServiceTimeout')) continue;
        log.failure(`Service Bus sessions of ${functionName}`, error);
        await sleep(PAUSE, undefined, { signal }).catch(() => {});
      }
  };
  const workers = Array.from({ length: configuration.maxConcurrentSessions }, work);
  return {
    async stop() {
      ending.abort();
      await Promise.all([...open].map((receiver) => receiver.close()));
      await Promise.all(workers);
    },
  };
}
