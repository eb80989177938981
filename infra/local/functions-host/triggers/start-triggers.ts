import type { TokenCredential } from '@azure/identity';
import { ServiceBusClient } from '@azure/service-bus';
import { Terminal } from '../../../../shared/model/errors.ts';
import type { Tables } from '../../../../shared/state/tables.ts';
import { connectionPart } from '../connection.ts';
import type { Invoke } from '../core/invoke.ts';
import { type FunctionMetadata, type Trigger, triggerOf } from '../core/wire.ts';
import { type AppSettings, type HostConfiguration, substitute } from '../host-json.ts';
import type { HostLog } from '../log.ts';
import { queueTrigger } from './queue.ts';
import { azureQueueSource } from './queue-source.azure.ts';
import { schedule } from './schedule.ts';
import { serviceBusTrigger } from './service-bus.ts';
import { sessionTrigger } from './service-bus-sessions.ts';
import { timerTrigger } from './timer.ts';
import { timerStatuses } from './timer-status.ts';
import type { RunningTrigger } from './trigger.ts';

export interface TriggerParts {
  readonly functions: readonly FunctionMetadata[];
  readonly settings: AppSettings;
  readonly configuration: HostConfiguration;
  readonly credential: TokenCredential;
  readonly tables: Tables;
  readonly invoke: Invoke;
  readonly log: HostLog;
}

/** Kinds that other parts of the host start. */
const elsewhere = new Set(['httpTrigger', 'orchestrationTrigger', 'activityTrigger', 'entityTrigger']);

/** Makes every trigger ready; each starts when it is called. @throws Terminal for one that this host cannot start */
export function triggers(parts: TriggerParts): (() => RunningTrigger)[] {
  return parts.functions.flatMap((metadata) => {
    const trigger = triggerOf(metadata);
    if (metadata.retryOptions !== undefined && metadata.retryOptions !== null)
      throw unsupported(metadata.name, 'a retry policy', "Use the queue's own tries instead.");
    for (const { type, direction } of Object.values(metadata.bindings))
      if (type !== trigger.type && type !== 'durableClient' && type !== 'http')
        throw unsupported(
          metadata.name,
          `an ${direction ?? 'in'} binding '${type}'`,
          'Call the service with its SDK.',
        );
    return elsewhere.has(trigger.type) ? [] : [prepare(parts, metadata.name, trigger)];
  });
}

function prepare(parts: TriggerParts, functionName: string, trigger: Trigger): () => RunningTrigger {
  const { configuration, invoke, log } = parts;
  const common = {
    functionName,
    trigger: trigger.name,
    invoke,
    log,
    functionTimeout: configuration.functionTimeout,
  };
  const text = (name: string): string => {
    const value = trigger[name];
    if (typeof value !== 'string' || value === '')
      throw unsupported(functionName, `no '${name}' in its ${trigger.type}`, `Set ${name}.`);
    return substitute(value, parts.settings, `Function '${functionName}'`);
  };
  switch (trigger.type) {
    case 'queueTrigger': {
      const uri = connectionPart(
        parts.settings,
        text('connection'),
        'queueServiceUri',
        'https://account.queue.core.windows.net',
      );
      const { messageEncoding } = configuration.queues;
      const source = azureQueueSource(uri, parts.credential, text('queueName'), messageEncoding);
      return () => queueTrigger({ ...common, source, configuration: configuration.queues });
    }
    case 'timerTrigger': {
      const zone = parts.settings.WEBSITE_TIME_ZONE ?? 'UTC';
      const due = schedule(functionName, text('schedule'), zone);
      const statuses = timerStatuses(parts.tables, `${configuration.durableTask.hubName}Hosts`);
      const runOnStartup = trigger.runOnStartup === true;
      return () => timerTrigger({ ...common, schedule: due, runOnStartup, statuses });
    }
    case 'serviceBusTrigger':
      return serviceBus(parts, common, trigger, text);
    default:
      throw unsupported(
        functionName,
        `a trigger '${trigger.type}'`,
        'Use an HTTP, timer, storage queue, Service Bus or durable trigger.',
      );
  }
}

function serviceBus(
  { settings, credential, configuration: { serviceBus: configuration } }: TriggerParts,
  common: Pick<
    Parameters<typeof serviceBusTrigger>[0],
    'functionName' | 'trigger' | 'invoke' | 'log' | 'functionTimeout'
  >,
  trigger: Trigger,
  text: (name: string) => string,
): () => RunningTrigger {
  if (trigger.cardinality === 'many')
    throw unsupported(common.functionName, 'Service Bus messages in batches', 'Take one message at a time.');
  const connection = text('connection');
  // A queue, or a subscription of a topic.
  const entity = trigger.queueName === undefined ? text('topicName') : text('queueName');
  const subscription = trigger.queueName === undefined ? text('subscriptionName') : undefined;
  const namespace = connectionPart(
    settings,
    connection,
    'fullyQualifiedNamespace',
    'name.servicebus.windows.net',
  );
  const customEndpointAddress = settings[`${connection}__customEndpointAddress`];
  const autoComplete =
    typeof trigger.autoCompleteMessages === 'boolean'
      ? trigger.autoCompleteMessages
      : configuration.autoCompleteMessages;
  return () => {
    const client = new ServiceBusClient(namespace, credential, {
      // The library's own waits grow to 30 s: that long commands would lie there after the namespace was away.
      retryOptions: { retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
      ...(customEndpointAddress === undefined ? {} : { customEndpointAddress }),
    });
    const receiving = {
      receiveMode: 'peekLock',
      skipParsingBodyAsJson: true,
      maxAutoLockRenewalDurationInMs: configuration.maxAutoLockRenewalDuration,
    } as const;
    const parts = { ...common, autoComplete, configuration };
    const running =
      trigger.isSessionsEnabled === true
        ? sessionTrigger({
            ...parts,
            accept: (abortSignal) =>
              subscription === undefined
                ? client.acceptNextSession(entity, { ...receiving, abortSignal })
                : client.acceptNextSession(entity, subscription, { ...receiving, abortSignal }),
          })
        : serviceBusTrigger({
            ...parts,
            receiver:
              subscription === undefined
                ? client.createReceiver(entity, receiving)
                : client.createReceiver(entity, subscription, receiving),
          });
    return {
      async stop() {
        await running.stop();
        await client.close();
      },
    };
  };
}

const unsupported = (functionName: string, what: string, remedy: string): Terminal =>
  new Terminal({
    code: 'function-unsupported',
    message: `Function '${functionName}' has ${what}, which this host does not run.`,
    remedy,
  });
