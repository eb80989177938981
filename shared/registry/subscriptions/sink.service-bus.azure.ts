import type { TokenCredential } from '@azure/identity';
import { isServiceBusError, ServiceBusClient } from '@azure/service-bus';
import { eventHash } from '../../events/event-hash.ts';
import type { OpenSink } from './sinks.ts';

/** Longest session id of Service Bus, characters. */
const LONGEST_SESSION = 128;

/**
 * Messages to a topic: the session is the repository, so that a receiver gets a repository's events in order; the message id is
 * the event's, so that the topic's duplicate detection drops what is sent again.
 * https://learn.microsoft.com/azure/service-bus-messaging/message-sessions
 */
export function serviceBusSink(
  connection: { namespace: string; endpoint: string | undefined; credential: TokenCredential },
  topic: string,
): OpenSink {
  const { namespace, endpoint, credential } = connection;
  const client = new ServiceBusClient(namespace, credential, {
    // The queue tries again, in its own time.
    retryOptions: { maxRetries: 1, timeoutInMs: 15_000 },
    ...(endpoint === undefined ? {} : { customEndpointAddress: endpoint }),
  });
  const sender = client.createSender(topic);
  return {
    async send({ id, body, contentType, repository, type }) {
      try {
        await sender.sendMessages({
          body: Buffer.from(body),
          contentType,
          messageId: id,
          sessionId: await sessionOf(repository),
          subject: type,
          applicationProperties: { repository, type },
        });
        return { outcome: 'accepted', answer: `topic ${topic} has it` };
      } catch (error) {
        const code = isServiceBusError(error) ? `${error.code}: ` : '';
        const text = error instanceof Error ? error.message : String(error);
        return { outcome: 'failed', reason: `topic ${topic}: ${code}${text.slice(0, 300)}` };
      }
    },
    close: () => client.close(),
  };
}

/** The repository itself, where its name is short enough; otherwise its beginning with a hash of all of it. */
async function sessionOf(repository: string): Promise<string> {
  if (repository.length <= LONGEST_SESSION) return repository;
  const hash = await eventHash({ source: 'session', id: repository });
  return `${repository.slice(0, LONGEST_SESSION - hash.length - 1)}~${hash}`;
}
