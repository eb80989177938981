import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureSigningKey } from '../../../infra/local/identity/signing-key.ts';
import { tokenVerifier } from '../../../infra/local/identity/verifier.ts';
import { ensurePlatformCa } from '../../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../../infra/local/platform-ca/server-certificate.ts';
import { startServiceBus } from '../../../infra/local/service-bus/start-service-bus.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from './start-host.ts';

let storage: TestStorage;
let bus: Awaited<ReturnType<typeof startServiceBus>>;
let client: ServiceBusClient;
let host: TestHost;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'host-'));
  await writeFile(join(directory, 'notes'), '');
  storage = await startTestStorage();
  // The same authority and the same issuer of tokens as the storage's.
  const authority = dirname(storage.environment.NODE_EXTRA_CA_CERTS!);
  const certificate = await issueServerCertificate(
    await ensurePlatformCa(authority),
    ['localhost'],
    directory,
  );
  const token = await storage.credential.getToken('https://servicebus.azure.net/.default');
  bus = await startServiceBus({
    address: '127.0.0.1',
    port: 0,
    certificate: await readFile(certificate.certificateFile, 'utf8'),
    key: await readFile(certificate.keyFile, 'utf8'),
    database: join(directory, 'bus.sqlite'),
    queues: [{ name: 'commands', maxDeliveryCount: 2, lockSeconds: 30, duplicateWindowSeconds: 0 }],
    topics: [
      {
        name: 'events',
        duplicateWindowSeconds: 0,
        subscriptions: [{ name: 'ordered', maxDeliveryCount: 3, lockSeconds: 30, requiresSession: true }],
      },
    ],
    verify: tokenVerifier(await ensureSigningKey(dirname(authority)), String(decodeJwt(token!.token).iss)),
  });
  const customEndpointAddress = `https://localhost:${bus.port}`;
  client = new ServiceBusClient('localhost', storage.credential, { customEndpointAddress });
  host = await startTestHost(storage, {
    TEST_HUB: 'Bus',
    TEST_NOTES: join(directory, 'notes'),
    TEST_SESSIONS: 'yes',
    ServiceBus__fullyQualifiedNamespace: 'localhost',
    ServiceBus__customEndpointAddress: customEndpointAddress,
  });
});
afterAll(async () => {
  await host?.stop();
  await client?.close();
  await bus?.close();
  await storage?.stop();
  await rm(directory, { recursive: true });
});

const noted = async (what = '"bus"') =>
  (await readFile(join(directory, 'notes'), 'utf8'))
    .split('\n')
    .filter((line) => line.includes(what))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it('completes messages whose function succeeds, and abandons the others until they are dead letters', async () => {
  const sender = client.createSender('commands');
  await sender.sendMessages([
    { body: { good: 1 }, messageId: 'one', applicationProperties: { from: 'test' } },
    { body: { fail: true }, messageId: 'two' },
  ]);
  const dead = client.createReceiver('commands', {
    subQueueType: 'deadLetter',
    receiveMode: 'receiveAndDelete',
  });
  const letters = await dead.receiveMessages(1, { maxWaitTimeInMs: 30_000 });
  expect(letters.map(({ messageId, body }) => ({ messageId, body }))).toEqual([
    { messageId: 'two', body: { fail: true } },
  ]);
  const seen = await noted();
  expect(seen.find(({ id }) => id === 'one')).toMatchObject({
    bus: { good: 1 },
    delivery: 1,
    properties: { from: 'test' },
  });
  expect(seen.filter(({ id }) => id === 'two').map(({ delivery }) => delivery)).toEqual([1, 2]);
  // Until the good one is completed too.
  while ((await client.createReceiver('commands').peekMessages(10)).length > 0);
});

it('runs the messages of a session one after the other in their order, also past one that fails at first', async () => {
  const sessions = ['a', 'b', 'c'];
  await client.createSender('events').sendMessages(
    [1, 2, 3, 4].flatMap((number) =>
      sessions.map((sessionId) => ({
        body: { number, failures: sessionId === 'b' && number === 2 ? 1 : 0 },
        sessionId,
      })),
    ),
  );
  const wanted = sessions.length * 4 + 1;
  let seen: Record<string, unknown>[] = [];
  while (seen.filter(({ ended }) => ended !== undefined).length < wanted) seen = await noted('"session"');
  for (const session of sessions)
    expect(
      seen.filter((line) => line['session'] === session).map(({ number, ended }) => number ?? -Number(ended)),
    ).toEqual(session === 'b' ? [1, -1, 2, -2, 2, -2, 3, -3, 4, -4] : [1, -1, 2, -2, 3, -3, 4, -4]);
  expect(seen.filter(({ fails }) => fails === true)).toHaveLength(1);
});
