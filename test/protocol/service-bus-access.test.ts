import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenCredential } from '@azure/identity';
import type { ServiceBusClient } from '@azure/service-bus';
import { decodeJwt, SignJWT } from 'jose';
import rhea from 'rhea';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureSigningKey, type SigningKey } from '../../infra/local/identity/signing-key.ts';
import { startTestServiceBus, type TestServiceBus } from '../support/service-bus.ts';

let otherKey: SigningKey;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'other-key-'));
  otherKey = await ensureSigningKey(directory);
  await rm(directory, { recursive: true });
});

let bus: TestServiceBus;
let client: ServiceBusClient;
beforeEach(async () => {
  bus = await startTestServiceBus();
  client = bus.connect();
});
afterEach(async () => {
  await client?.close();
  await bus?.stop();
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
    { what: 'for another service', make: () => bus.credential('https://storage.azure.com') },
    {
      what: 'of another signer',
      make: () => bus.credential(undefined, otherKey),
    },
    {
      what: 'that is none',
      make: (): TokenCredential => ({
        getToken: async () => ({ token: 'none', expiresOnTimestamp: Date.now() + 3600_000 }),
      }),
    },
  ])('a token $what', async ({ make }) => {
    const stranger = bus.connect(make());
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
        ...decodeJwt((await bus.credential().getToken(''))?.token ?? ''),
        exp: expires,
      })
        .setProtectedHeader({ alg: 'RS256' })
        .sign(bus.key.privateKey);
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
