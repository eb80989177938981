import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from './start-host.ts';

let storage: TestStorage;
let directory: string;
const living = new Set<TestHost>();

const start = async (): Promise<TestHost> => {
  const host = await startTestHost(storage, { TEST_HUB: 'Killed', TEST_NOTES: join(directory, 'notes') });
  living.add(host);
  return host;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'host-'));
  await writeFile(join(directory, 'notes'), '');
  storage = await startTestStorage();
});
afterAll(async () => {
  for (const host of living) await host.stop();
  await storage?.stop();
  await rm(directory, { recursive: true });
});

const journeys = 8;

/** Hosts die at whatever they are doing; those that remain, or come after, finish every orchestration rightly. */
it('loses nothing to kill -9 with two hosts at work', async () => {
  const hosts = [await start(), await start()];
  const ids = Array.from({ length: journeys }, (_, index) => `journey-${index}`);
  for (const [index, id] of ids.entries())
    await hosts[index % 2]!.client('startNew', 'journey', { instanceId: id });

  for (let kill = 0; kill < 3; kill += 1) {
    const victim = hosts.shift()!;
    const replacement = start();
    await activitiesBegun(journeys * (kill + 1));
    victim.process.kill('SIGKILL');
    living.delete(victim);
    hosts.push(await replacement);
  }
  const [host] = hosts;
  for (const id of ids) await host!.client('raiseEvent', id, 'go', 'ahead');
  for (const id of ids) {
    const { runtimeStatus, output } = await host!.finished(id);
    expect(runtimeStatus).toBe('Completed');
    expect(output).toEqual({
      fan: [0, 1, 2, 3].map((index) => `${id}/${index}`),
      child: `${id}/child`,
      count: 1,
      go: 'ahead',
    });
  }
}, 120_000);

async function activitiesBegun(count: number): Promise<void> {
  while (
    (await readFile(join(directory, 'notes'), 'utf8')).split('\n').filter((line) => line.includes('activity'))
      .length < count
  )
    await new Promise((resolve) => setTimeout(resolve, 20));
}
