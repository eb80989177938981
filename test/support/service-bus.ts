import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { TokenCredential } from '@azure/identity';
import {
  ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from '@azure/service-bus';
import { ensureSigningKey, type SigningKey } from '../../infra/local/identity/signing-key.ts';
import { tokenIssuer } from '../../infra/local/identity/tokens.ts';
import { tokenVerifier } from '../../infra/local/identity/verifier.ts';
import { ensurePlatformCa } from '../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../infra/local/platform-ca/server-certificate.ts';
import { startServiceBus } from '../../infra/local/service-bus/start-service-bus.ts';

const tenant = '22222222-2222-4222-8222-222222222222';
const issuer = `https://sts.windows.net/${tenant}/`;
const principal = {
  principalId: randomUUID(),
  clientId: randomUUID(),
  identityId: '/subscriptions/s',
  resourceId: '/subscriptions/s',
};

export interface TestServiceBus {
  readonly port: number;
  readonly key: SigningKey;
  /** Tokens signed by `signer`, the trusted key unless given. */
  credential(audience?: string, signer?: SigningKey): TokenCredential;
  /** Azure's own client; it tries once, for as many milliseconds. */
  connect(credential?: TokenCredential, timeout?: number): ServiceBusClient;
  /** Ends it, removes what it stored, and no longer trusts its certificates. */
  stop(): Promise<void>;
}

/**
 * A namespace of its own with the queues `commands` (3 deliveries, 60 s, duplicates), `plain` (10, 5 s, none) and
 * `sessions` (3, 5 s, sessions required), and the topic `events` (duplicates) with the subscriptions `all` (3, 5 s),
 * `brief` (a message lives a second, then it is dead-lettered) and `ordered` (3, 5 s, sessions required).
 */
export async function startTestServiceBus(): Promise<TestServiceBus> {
  const trusted = getCACertificates('default');
  const directory = await mkdtemp(join(tmpdir(), 'service-bus-'));
  const ca = await ensurePlatformCa(directory);
  const { certificate, key: privateKey } = await issueServerCertificate(ca, ['localhost'], directory);
  const key = await ensureSigningKey(directory);
  const bus = await startServiceBus({
    address: '127.0.0.1',
    port: 0,
    certificate,
    key: privateKey,
    database: join(directory, 'messages.sqlite'),
    queues: [
      { name: 'commands', maxDeliveryCount: 3, lockSeconds: 60, duplicateWindowSeconds: 600 },
      { name: 'plain', maxDeliveryCount: 10, lockSeconds: 5, duplicateWindowSeconds: 0 },
      {
        name: 'sessions',
        maxDeliveryCount: 3,
        lockSeconds: 5,
        duplicateWindowSeconds: 0,
        requiresSession: true,
      },
    ],
    topics: [
      {
        name: 'events',
        duplicateWindowSeconds: 600,
        subscriptions: [
          { name: 'all', maxDeliveryCount: 3, lockSeconds: 5 },
          {
            name: 'brief',
            maxDeliveryCount: 3,
            lockSeconds: 5,
            timeToLiveSeconds: 1,
            deadLetterOnExpiry: true,
          },
          { name: 'ordered', maxDeliveryCount: 3, lockSeconds: 5, requiresSession: true },
        ],
      },
    ],
    verify: tokenVerifier(key, issuer),
  });
  setDefaultCACertificates([...trusted, ca.certificatePem]);
  const credential = (audience = 'https://servicebus.azure.net', signer = key): TokenCredential => ({
    async getToken() {
      const { token, expiresOn } = await tokenIssuer(signer, issuer, tenant)(principal, audience);
      return { token, expiresOnTimestamp: expiresOn * 1000 };
    },
  });
  return {
    port: bus.port,
    key,
    credential,
    connect: (given = credential(), timeoutInMs = 10_000) =>
      new ServiceBusClient('localhost', given, {
        customEndpointAddress: `https://localhost:${bus.port}`,
        retryOptions: { maxRetries: 0, timeoutInMs },
      }),
    async stop() {
      await bus.close();
      setDefaultCACertificates(trusted);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The next message. @throws if none comes within 10 s */
export async function nextMessage(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 10_000 });
  if (message === undefined) throw new Error('no message came');
  return message;
}

/** What a receiver is given if it hardly waits: nothing, where a queue has no message for it. */
export const receiveAtOnce = (receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage[]> =>
  receiver.receiveMessages(1, { maxWaitTimeInMs: 50 });
