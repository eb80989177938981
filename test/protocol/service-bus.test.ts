import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
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
import { decodeJwt, SignJWT } from 'jose';
import rhea from 'rhea';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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
const trusted = getCACertificates('default');

let directory = '';
let key: SigningKey;
let pems: { certificate: string; key: string };
let bus: Awaited<ReturnType<typeof startServiceBus>>;
let client: ServiceBusClient;

const credential = (audience = 'https://servicebus.azure.net'): TokenCredential => ({
  async getToken() {
    const { token, expiresOn } = await tokenIssuer(key, issuer, tenant)(principal, audience);
    return { token, expiresOnTimestamp: expiresOn * 1000 };
  },
});
const connect = (with_ = credential()) =>
  new ServiceBusClient('localhost', with_, {
    customEndpointAddress: `https://localhost:${bus.port}`,
    retryOptions: { maxRetries: 0, timeoutInMs: 10_000 },
  });
const start = (database: string, port = 0) =>
  startServiceBus({
    address: '127.0.0.1',
    port,
    ...pems,
    database,
    queues: [
      { name: 'commands', maxDeliveryCount: 3, lockSeconds: 60, duplicateWindowSeconds: 600 },
      { name: 'plain', maxDeliveryCount: 10, lockSeconds: 5, duplicateWindowSeconds: 0 },
    ],
    verify: tokenVerifier(key, issuer),
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'service-bus-'));
  const ca = await ensurePlatformCa(directory);
  pems = await issueServerCertificate(ca, ['localhost', '127.0.0.1'], directory);
  key = await ensureSigningKey(directory);
  setDefaultCACertificates([...trusted, ca.certificatePem]);
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  bus = await start(join(directory, `${randomUUID()}.sqlite`));
  client = connect();
});
afterEach(async () => {
  await client.close();
  await bus.close();
});

const one = async (receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage> => {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 10_000 });
  if (message === undefined) throw new Error('no message came');
  return message;
};
const none = (receiver: ServiceBusReceiver) => receiver.receiveMessages(1, { maxWaitTimeInMs: 50 });

describe('sending and receiving', () => {
  test('a message arrives as it was sent, with what the broker adds', async () => {
    const sent = {
      body: { type: 'deploy', list: [1, 'two', null], text: 'ä' },
      messageId: 'm-1',
      subject: 'subject',
      contentType: 'application/json',
      correlationId: 'c-1',
      replyTo: 'elsewhere',
      to: 'there',
      applicationProperties: { string: 's', number: 42, fraction: 0.5, yes: true, big: 2 ** 40 },
      timeToLive: 3_600_000,
    };
    await client.createSender('commands').sendMessages(sent);
    const message = await one(client.createReceiver('commands'));
    expect(message).toMatchObject(sent);
    expect(message).toMatchObject({ deliveryCount: 0, state: 'active' });
    expect(message.sequenceNumber?.toNumber()).toBeGreaterThan(0);
    expect(message.lockToken).toMatch(/^[0-9a-f-]{36}$/);
    expect(message.lockedUntilUtc!.getTime()).toBeGreaterThan(Date.now() + 30_000);
    expect(Math.abs(message.enqueuedTimeUtc!.getTime() - Date.now())).toBeLessThan(30_000);
  });

  test('a completed message is gone, in order, batch or single', async () => {
    const sender = client.createSender('plain');
    const batch = await sender.createMessageBatch();
    for (const body of ['one', 'two', 'three']) expect(batch.tryAddMessage({ body })).toBe(true);
    await sender.sendMessages(batch);
    await sender.sendMessages([{ body: 'four' }, { body: 'five' }]);
    const receiver = client.createReceiver('plain');
    const bodies: unknown[] = [];
    while (bodies.length < 5)
      for (const message of await receiver.receiveMessages(5, { maxWaitTimeInMs: 10_000 })) {
        bodies.push(message.body);
        await receiver.completeMessage(message);
      }
    expect(bodies).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(await receiver.peekMessages(5)).toEqual([]);
    expect(await none(receiver)).toEqual([]);
  });

  test('receive-and-delete removes what it delivers', async () => {
    await client.createSender('plain').sendMessages([{ body: 1 }, { body: 2 }]);
    const receiver = client.createReceiver('plain', { receiveMode: 'receiveAndDelete' });
    expect((await one(receiver)).body).toBe(1);
    expect((await one(receiver)).body).toBe(2);
    expect(await receiver.peekMessages(5)).toEqual([]);
  });

  test('a subscribed receiver is given messages as they come, thousands of them', async () => {
    const receiver = client.createReceiver('plain');
    const seen = new Set<number>();
    // More than the 2048 deliveries that a session holds unless they are settled.
    const count = 2200;
    let done = () => {};
    const all = new Promise<void>((resolve, reject) => {
      done = resolve;
      receiver.subscribe(
        {
          async processMessage({ body }) {
            seen.add(body);
            if (seen.size === count) done();
          },
          async processError({ error }) {
            reject(error);
          },
        },
        { maxConcurrentCalls: 100 },
      );
    });
    const sender = client.createSender('plain');
    for (let first = 0; first < count; first += 550)
      await sender.sendMessages(Array.from({ length: 550 }, (_, index) => ({ body: first + index })));
    await all;
    await receiver.close();
    const rest = client.createReceiver('plain');
    expect(await none(rest)).toEqual([]);
  });

  test('two receivers share a queue, and no message is given twice', async () => {
    const receivers = [client.createReceiver('plain'), client.createReceiver('plain')];
    await client.createSender('plain').sendMessages(Array.from({ length: 20 }, (_, body) => ({ body })));
    const got = await Promise.all(
      receivers.map((receiver) => receiver.receiveMessages(10, { maxWaitTimeInMs: 5000 })),
    );
    const bodies = got.flat().map(({ body }) => body as number);
    expect(new Set(bodies).size).toBe(bodies.length);
  });

  test('a message of an id that was seen is dropped', async () => {
    const sender = client.createSender('commands');
    await sender.sendMessages({ body: 'first', messageId: 'same' });
    await sender.sendMessages({ body: 'second', messageId: 'same' });
    await sender.sendMessages({ body: 'third', messageId: 'other' });
    const receiver = client.createReceiver('commands');
    const bodies = (await receiver.peekMessages(10)).map(({ body }) => body);
    expect(bodies).toEqual(['first', 'third']);
    await receiver.completeMessage(await one(receiver));
    await sender.sendMessages({ body: 'fourth', messageId: 'same' });
    const third = await one(receiver);
    expect(third.body).toBe('third');
    await receiver.completeMessage(third);
    expect(await none(receiver)).toEqual([]);
  });

  test('a message that is too large is refused', async () => {
    const sender = client.createSender('plain');
    await expect(sender.sendMessages({ body: 'x'.repeat(300_000) })).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    });
  });
});

describe('settling', () => {
  test('an abandoned message comes again with its changes, and is dead-lettered after its last delivery', async () => {
    await client.createSender('commands').sendMessages({ body: 'poison' });
    const receiver = client.createReceiver('commands');
    for (let count = 0; count < 3; count += 1) {
      const message = await one(receiver);
      expect(message.deliveryCount).toBe(count);
      if (count > 0) expect(message.applicationProperties).toEqual({ attempt: count });
      await receiver.abandonMessage(message, { attempt: count + 1 });
    }
    expect(await none(receiver)).toEqual([]);
    const dead = client.createReceiver('commands', { subQueueType: 'deadLetter' });
    const message = await one(dead);
    expect(message).toMatchObject({
      body: 'poison',
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterSource: 'commands',
      applicationProperties: { attempt: 3 },
    });
    await dead.completeMessage(message);
    expect(await dead.peekMessages(1)).toEqual([]);
  });

  test('a dead-lettered message keeps its reason and description', async () => {
    await client.createSender('commands').sendMessages({ body: 'bad', applicationProperties: { kept: 1 } });
    const receiver = client.createReceiver('commands');
    await receiver.deadLetterMessage(await one(receiver), {
      deadLetterReason: 'unknown-type',
      deadLetterErrorDescription: 'There is no command frobnicate.',
      more: 'context',
    });
    const dead = client.createReceiver('commands', { subQueueType: 'deadLetter' });
    expect((await dead.peekMessages(1))[0]).toMatchObject({ deadLetterReason: 'unknown-type' });
    expect(await one(dead)).toMatchObject({
      deadLetterReason: 'unknown-type',
      deadLetterErrorDescription: 'There is no command frobnicate.',
      applicationProperties: { kept: 1, more: 'context' },
    });
  });

  test('a deferred message is received by its number alone', async () => {
    await client.createSender('plain').sendMessages({ body: 'later' });
    const receiver = client.createReceiver('plain');
    const message = await one(receiver);
    await receiver.deferMessage(message, { why: 'early' });
    expect(await none(receiver)).toEqual([]);
    expect((await receiver.peekMessages(1))[0]).toMatchObject({ state: 'deferred' });
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber!);
    expect(deferred).toMatchObject({ body: 'later', applicationProperties: { why: 'early' } });
    await receiver.completeMessage(deferred!);
    await expect(receiver.receiveDeferredMessages(message.sequenceNumber!)).rejects.toThrow(
      /no such message/,
    );
  });

  test('a lock is renewed, and a settled one is lost', async () => {
    await client.createSender('plain').sendMessages({ body: 1 });
    const receiver = client.createReceiver('plain');
    const message = await one(receiver);
    const before = message.lockedUntilUtc!.getTime();
    expect((await receiver.renewMessageLock(message)).getTime()).toBeGreaterThanOrEqual(before);
    await receiver.completeMessage(message);
    await expect(receiver.renewMessageLock(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
  });

  test('a message whose lock expires comes again, and its first receiver has lost it', async () => {
    await client.createSender('plain').sendMessages({ body: 1 });
    const first = client.createReceiver('plain', { maxAutoLockRenewalDurationInMs: 0 });
    const lost = await one(first);
    const second = client.createReceiver('plain');
    const again = await one(second);
    expect(again).toMatchObject({ body: 1, deliveryCount: 1 });
    await expect(first.completeMessage(lost)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await second.completeMessage(again);
  });

  test('a message is settled after its receiver was closed', async () => {
    await client.createSender('plain').sendMessages({ body: 1 });
    const receiver = client.createReceiver('plain');
    const message = await one(receiver);
    await receiver.close();
    const other = client.createReceiver('plain');
    await other.completeMessage(message);
    expect(await other.peekMessages(1)).toEqual([]);
  });
});

describe('scheduling', () => {
  test('a scheduled message waits for its time', async () => {
    const sender = client.createSender('plain');
    const due = new Date(Date.now() + 1500);
    const [number] = await sender.scheduleMessages({ body: 'due' }, due);
    const receiver = client.createReceiver('plain');
    expect((await receiver.peekMessages(1))[0]).toMatchObject({ state: 'scheduled', sequenceNumber: number });
    expect(await none(receiver)).toEqual([]);
    const message = await one(receiver);
    expect(message.body).toBe('due');
    expect(Date.now()).toBeGreaterThanOrEqual(due.getTime());
    await receiver.completeMessage(message);
  });

  test('a cancelled one never comes, and cannot be cancelled again', async () => {
    const sender = client.createSender('plain');
    const numbers = await sender.scheduleMessages(
      [{ body: 1 }, { body: 2 }],
      new Date(Date.now() + 3600_000),
    );
    await sender.cancelScheduledMessages(numbers[0]!);
    const left = await client.createReceiver('plain').peekMessages(5);
    expect(left.map(({ body }) => body)).toEqual([2]);
    await expect(sender.cancelScheduledMessages(numbers[0]!)).rejects.toThrow(/no such message/);
  });

  test('a message that lived too long does not come', async () => {
    const sender = client.createSender('plain');
    await sender.sendMessages([{ body: 'short', timeToLive: 1 }, { body: 'long' }]);
    const receiver = client.createReceiver('plain');
    expect((await one(receiver)).body).toBe('long');
  });
});

describe('refusing', () => {
  test('a queue that is not there', async () => {
    await expect(client.createSender('nothing').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
    await expect(client.createReceiver('nothing').receiveMessages(1)).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
  });

  test.each([
    { what: 'for another service', make: () => credential('https://storage.azure.com') },
    {
      what: 'of another signer',
      make: (): TokenCredential => ({
        async getToken() {
          const other = await ensureSigningKey(join(directory, 'other'));
          const { token } = await tokenIssuer(
            other,
            issuer,
            tenant,
          )(principal, 'https://servicebus.azure.net');
          return { token, expiresOnTimestamp: Date.now() + 3600_000 };
        },
      }),
    },
    {
      what: 'that is none',
      make: (): TokenCredential => ({
        getToken: async () => ({ token: 'none', expiresOnTimestamp: Date.now() + 3600_000 }),
      }),
    },
  ])('a token $what', async ({ make }) => {
    const stranger = connect(make());
    try {
      await expect(stranger.createSender('plain').sendMessages({ body: 1 })).rejects.toMatchObject({
        code: 'UnauthorizedAccess',
      });
    } finally {
      await stranger.close();
    }
  });

  test('a link whose token has expired is closed', async () => {
    const connection = rhea.create_container().connect({
      transport: 'tls',
      host: 'localhost',
      port: bus.port,
      reconnect: false,
    });
    try {
      const expires = Math.floor(Date.now() / 1000) + 2;
      const token = await new SignJWT({
        ...decodeJwt((await credential().getToken(''))?.token ?? ''),
        exp: expires,
      })
        .setProtectedHeader({ alg: 'RS256' })
        .sign(key.privateKey);
      const answers = connection.open_receiver({ source: '$cbs', target: 'me' });
      const claims = connection.open_sender({ target: '$cbs' });
      await once(claims, 'sendable');
      claims.send({
        body: token,
        message_id: 1,
        reply_to: 'me',
        application_properties: { operation: 'put-token', type: 'jwt', name: 'sb://localhost/plain' },
      });
      const [{ message }] = await once(answers, 'message');
      expect(message.application_properties['status-code']).toBe(202);
      const link = connection.open_receiver('plain');
      await once(link, 'receiver_open');
      await once(link, 'receiver_error');
      expect(link.error).toMatchObject({ condition: 'amqp:unauthorized-access' });
      expect(Date.now()).toBeGreaterThanOrEqual(expires * 1000);
    } finally {
      connection.on('disconnected', () => {});
      connection.close();
    }
  });
});

describe('connecting', () => {
  const open = async (mechanism: string) => {
    const connection = rhea.create_container().connect({
      transport: 'tls',
      host: 'localhost',
      port: bus.port,
      reconnect: false,
      sasl_mechanisms: {
        [mechanism]: () => ({
          start: (done: (error: undefined, bytes: Buffer) => void) => done(undefined, Buffer.alloc(1)),
        }),
      },
    } as Parameters<typeof rhea.connect>[0]);
    connection.on('disconnected', () => {});
    const outcome = await Promise.race([
      once(connection, 'connection_open').then(() => 'open'),
      once(connection, 'connection_error').then(() => 'refused'),
    ]);
    connection.close();
    return outcome;
  };

  test.each(['MSSBCBS', 'ANONYMOUS', 'EXTERNAL'])('with %s, before any token', async (mechanism) => {
    expect(await open(mechanism)).toBe('open');
  });

  test('not with a password', async () => {
    expect(await open('PLAIN')).toBe('refused');
  });

  test('a request that is no message ends neither its connection nor the broker', async () => {
    const connection = rhea
      .create_container()
      .connect({ transport: 'tls', host: 'localhost', port: bus.port, reconnect: false });
    connection.on('disconnected', () => {});
    const claims = connection.open_sender({ target: '$cbs' });
    await once(claims, 'sendable');
    claims.send(Buffer.from('nonsense'), undefined, 0);
    await once(claims, 'rejected');
    expect(connection.is_open()).toBe(true);
    connection.close();
    await client.createSender('plain').sendMessages({ body: 1 });
  });

  test('without a token nothing can be reached', async () => {
    const connection = rhea
      .create_container()
      .connect({ transport: 'tls', host: 'localhost', port: bus.port, reconnect: false });
    connection.on('disconnected', () => {});
    const links = [connection.open_sender('plain'), connection.open_receiver('plain')];
    await Promise.all(links.map((link) => once(link, link.is_sender() ? 'sender_error' : 'receiver_error')));
    for (const { error } of links) expect(error).toMatchObject({ condition: 'amqp:unauthorized-access' });
    connection.close();
  });
});
