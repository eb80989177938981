import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureSigningKey } from '../../infra/local/identity/signing-key.ts';
import { tokenIssuer } from '../../infra/local/identity/tokens.ts';
import { ensurePlatformCa } from '../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../infra/local/platform-ca/server-certificate.ts';

const tenant = '22222222-2222-4222-8222-222222222222';
const issuer = `https://sts.windows.net/${tenant}/`;
const trusted = getCACertificates('default');

let directory = '';
let files: { certificateFile: string; keyFile: string };
let child: ChildProcess;
let port = 0;
let client: ServiceBusClient;

async function start(): Promise<void> {
  child = fork(
    new URL('../support/service-bus-process.ts', import.meta.url),
    [String(port), join(directory, 'bus.sqlite'), files.certificateFile, files.keyFile, directory, issuer],
    { execArgv: [] },
  );
  [port] = (await once(child, 'message')) as [number];
}
async function kill(): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'service-bus-kill-'));
  const ca = await ensurePlatformCa(directory);
  files = await issueServerCertificate(ca, ['localhost'], directory);
  const key = await ensureSigningKey(directory);
  setDefaultCACertificates([...trusted, ca.certificatePem]);
  port = 0;
  await start();
  const principal = {
    principalId: randomUUID(),
    clientId: randomUUID(),
    identityId: '/subscriptions/s',
    resourceId: '/subscriptions/s',
  };
  const credential = {
    async getToken() {
      const issued = await tokenIssuer(key, issuer, tenant)(principal, 'https://servicebus.azure.net');
      return { token: issued.token, expiresOnTimestamp: issued.expiresOn * 1000 };
    },
  };
  client = new ServiceBusClient('localhost', credential, {
    customEndpointAddress: `https://localhost:${port}`,
    // A message that went out just before its connection was seen to end is waited for that long (60 s by itself), then
    // sent again: its id makes it one.
    retryOptions: { retryDelayInMs: 200, maxRetryDelayInMs: 1000, maxRetries: 20, timeoutInMs: 10_000 },
  });
});
afterEach(async () => {
  await client?.close();
  if (child.exitCode === null && child.signalCode === null) await kill();
  setDefaultCACertificates(trusted);
  await rm(directory, { recursive: true, force: true });
});

test('what was acknowledged outlives a kill -9, and clients come back by themselves', async () => {
  const sender = client.createSender('commands');
  const due = new Date(Date.now() + 3600_000);
  await sender.sendMessages([1, 2, 3, 4].map((body) => ({ body, messageId: `m${body}` })));
  await sender.scheduleMessages({ body: 'scheduled' }, due);
  const receiver = client.createReceiver('commands');
  const messages = await receiver.receiveMessages(3, { maxWaitTimeInMs: 10_000 });
  expect(messages.map(({ body }) => body)).toEqual([1, 2, 3]);
  await receiver.completeMessage(messages[0]!);
  await receiver.deadLetterMessage(messages[1]!, {
    deadLetterReason: 'reason',
    deadLetterErrorDescription: 'description',
  });

  await kill();
  await start();

  // Seen before the kill: dropped.
  await sender.sendMessages({ body: 'again', messageId: 'm4' });
  // Locked before the kill: settled after it.
  await receiver.completeMessage(messages[2]!);
  const [fourth] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 20_000 });
  expect(fourth).toMatchObject({ body: 4, deliveryCount: 0 });
  await receiver.completeMessage(fourth!);
  const left = await client.createReceiver('commands').peekMessages(10);
  expect(left.map(({ body, state }) => [body, state])).toEqual([['scheduled', 'scheduled']]);
  const [dead] = await client.createReceiver('commands', { subQueueType: 'deadLetter' }).peekMessages(1);
  expect(dead).toMatchObject({ body: 2, deadLetterReason: 'reason' });
});

test('a subscription goes on after a kill -9, and every message that was accepted comes', async () => {
  const seen = new Set<unknown>();
  const wanted = 60;
  let resolve = () => {};
  const all = new Promise<void>((done) => {
    resolve = done;
  });
  client.createReceiver('commands').subscribe({
    async processMessage({ body }) {
      seen.add(body);
      if (seen.size === wanted) resolve();
    },
    async processError() {},
  });
  const sender = client.createSender('commands');
  for (let body = 0; body < wanted; body += 1) {
    if (body === 20 || body === 40) {
      await kill();
      await start();
    }
    await sender.sendMessages({ body, messageId: String(body) });
  }
  await all;
  expect(seen.size).toBe(wanted);
});

test('what a topic accepted is in every subscription after a kill -9: rules, sessions, their state and order', async () => {
  const sender = client.createSender('events');
  const manager = client.createRuleManager('events', 'all');
  await manager.createRule('odd', { applicationProperties: { odd: true } });
  await manager.deleteRule('$Default');
  const message = (body: number) => ({
    body,
    messageId: `m${body}`,
    sessionId: `s${body % 2}`,
    applicationProperties: { odd: body % 2 === 1 },
  });
  await sender.sendMessages([1, 2, 3, 4].map(message));
  const before = await client.acceptSession('events', 'ordered', 's1');
  const [locked] = await before.receiveMessages(1, { maxWaitTimeInMs: 10_000 });
  expect(locked).toMatchObject({ body: 1 });
  await before.setSessionState({ seen: 1 });

  await kill();
  await start();

  await sender.sendMessages([3, 5].map(message));
  const all = client.createReceiver('events', 'all');
  const odd = await all.peekMessages(10);
  expect(odd.map(({ body }) => body as number)).toEqual([1, 3, 5]);
  // The process that served its receiver is gone: the session is free at once, and nothing counts as failed.
  const after = await client.acceptSession('events', 'ordered', 's1');
  expect(await after.getSessionState()).toEqual({ seen: 1 });
  const bodies: number[] = [];
  while (bodies.length < 3)
    for (const next of await after.receiveMessages(3, { maxWaitTimeInMs: 20_000 })) {
      expect(next.deliveryCount).toBe(0);
      bodies.push(next.body as number);
      await after.completeMessage(next);
    }
  expect(bodies).toEqual([1, 3, 5]);
});
