import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from './start-host.ts';

let storage: TestStorage;
let directory: string;
let notes: string;
const hosts: TestHost[] = [];

const start = async (): Promise<TestHost> => {
  const host = await startTestHost(storage, { TEST_HUB: 'Triggers', TEST_NOTES: notes });
  hosts.push(host);
  return host;
};
const noted = async (): Promise<Record<string, unknown>[]> =>
  (await readFile(notes, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Until what was noted satisfies. */
async function until<Found>(find: (lines: Record<string, unknown>[]) => Found | undefined): Promise<Found> {
  for (;;) {
    const found = find(await noted());
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'host-'));
  notes = join(directory, 'notes');
  await writeFile(notes, '');
  storage = await startTestStorage();
  await queue('incoming').create();
  await start();
});
afterAll(async () => {
  for (const host of hosts) await host.stop();
  await storage?.stop();
  await rm(directory, { recursive: true });
});

const queue = (name: string) =>
  new QueueServiceClient(storage.queueUri, storage.credential).getQueueClient(name);

describe('a storage queue', () => {
  it('starts the function with the parsed message, and deletes it', async () => {
    await queue('incoming').sendMessage(JSON.stringify({ a: 1 }));
    await until((lines) => lines.find(({ queue: message }) => (message as { a?: number })?.a === 1));
    await emptied('incoming');
  });

  it('sends a message that fails again and again to the poison queue', async () => {
    await queue('incoming').sendMessage(JSON.stringify({ fail: true }));
    const poison = queue('incoming-poison');
    for (;;) {
      const found = await poison.receiveMessages().catch(() => undefined);
      const [message] = found?.receivedMessageItems ?? [];
      if (message !== undefined) {
        expect(JSON.parse(message.messageText)).toEqual({ fail: true });
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const tries = (await noted()).filter(({ queue: message }) => (message as { fail?: boolean })?.fail);
    expect(tries.map((one) => one.try)).toEqual([1, 2]);
    await emptied('incoming');
  });
});

async function emptied(name: string): Promise<void> {
  while ((await queue(name).getProperties()).approximateMessagesCount !== 0)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a timer', () => {
  it('runs on schedule, once for all hosts', async () => {
    await start();
    const before = (await noted()).filter((line) => 'timer' in line).length;
    const from = Date.now();
    await until((lines) => (lines.filter((line) => 'timer' in line).length >= before + 3 ? true : undefined));
    const ran = (await noted()).filter((line) => 'timer' in line).length - before;
    // At most one for each second that began.
    expect(ran).toBeLessThanOrEqual(Math.ceil((Date.now() - from) / 1000) + 1);
  });

  it('is past due after a time without hosts', async () => {
    for (const host of hosts.splice(0)) await host.stop();
    const before = (await noted()).length;
    const last = Date.now();
    while (Date.now() < last + 2_000) await new Promise((resolve) => setTimeout(resolve, 100));
    await start();
    const first = await until((lines) => lines.slice(before).find((line) => 'timer' in line));
    expect(first.timer).toBe(true);
  });
});
