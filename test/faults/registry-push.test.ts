import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashKey, makeKey } from '../../shared/auth/api-key.ts';
import { azureBlobs } from '../../shared/state/blobs.azure.ts';
import { azureTables } from '../../shared/state/tables.azure.ts';
import { type LoneRegistry, startLoneRegistry } from '../support/lone-registry.ts';
import { type TestImage, testImage } from '../support/oci-image.ts';
import { inconsistencies } from '../support/registry-state.ts';
import { type Manner, pushResuming, type Send } from '../support/resuming-push.ts';
import { long, random, seed } from '../support/sample.ts';
import { startTestStorage, type TestStorage } from '../support/storage.ts';

/** `kill -9` of the registry's own process, between any two requests of a push and during them. */
const adminKey = makeKey('admin');
const settings: Record<string, string> = {
  REGISTRY_MASTER_KEY: randomBytes(32).toString('base64'),
  REGISTRY_ADMIN_KEY_SHA256: hashKey(adminKey),
};
let storage: TestStorage;
let registry: LoneRegistry;
beforeAll(async () => {
  storage = await startTestStorage();
  registry = await startLoneRegistry(storage, settings);
  settings['REGISTRY_PORT'] = registry.host.split(':')[1] ?? '';
});
afterAll(async () => {
  await registry?.stop();
  await storage?.stop();
});

async function restart(): Promise<void> {
  process.kill(registry.pid, 'SIGKILL');
  await registry.stop();
  registry = await startLoneRegistry(storage, settings);
}

async function tokenFor(repository: string): Promise<string> {
  const scope = `repository:${repository}:pull,push`;
  const answer = await fetch(`http://${registry.host}/v2/token?scope=${scope}`, {
    headers: { authorization: `Basic ${btoa(`x:${adminKey}`)}` },
  });
  return ((await answer.json()) as { token: string }).token;
}

/** Kills before these requests of a push, or so many milliseconds into them. */
interface Kill {
  readonly request: number;
  readonly afterMs: number | undefined;
}

async function pushThrough(repository: string, image: TestImage, manners: Manner[], kills: readonly Kill[]) {
  const token = await tokenFor(repository);
  const left = [...kills];
  let requests = 0;
  let restarted: Promise<void> | undefined;
  const ask: Send = (method, path, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${token}`);
    return fetch(`http://${registry.host}${path}`, { ...init, method, headers });
  };
  const send: Send = async (method, path, init) => {
    requests += 1;
    const kill = left[0]?.request === requests ? left.shift() : undefined;
    if (kill !== undefined && kill.afterMs === undefined) await restart();
    if (kill?.afterMs !== undefined) restarted = sleep(kill.afterMs).then(restart);
    const answer = await ask(method, path, init);
    // Also a body that breaks off is a loss.
    const bytes = await answer.arrayBuffer();
    await restarted;
    return new Response(bytes.byteLength === 0 ? null : bytes, answer);
  };
  const recovered = async () => {
    if (restarted === undefined) throw new Error('a request was lost, and nothing was killed');
    await restarted;
    restarted = undefined;
    // Nothing that was confirmed is forgotten, and nothing is there that is something else.
    for (const { digest } of image.blobs) {
      const found = await ask('GET', `/v2/${repository}/blobs/${digest}`, { redirect: 'manual' });
      if (confirmed.blobs.has(digest)) expect(found.status).not.toBe(404);
      if (found.status === 200)
        expect(
          `sha256:${createHash('sha256')
            .update(Buffer.from(await found.arrayBuffer()))
            .digest('hex')}`,
        ).toBe(digest);
      else await found.body?.cancel();
    }
    const manifest = await ask('GET', `/v2/${repository}/manifests/latest`);
    if (confirmed.manifest) expect(manifest.status).toBe(200);
    else expect([200, 404]).toContain(manifest.status);
    await manifest.body?.cancel();
  };
  const confirmed = { blobs: new Set<string>(), manifest: false };
  await pushResuming(send, recovered, repository, 'latest', image, manners, 400_000, confirmed);
  await restarted;
  const found = await ask('GET', `/v2/${repository}/manifests/latest`);
  expect(Buffer.from(await found.arrayBuffer()).equals(Buffer.from(image.manifest.bytes))).toBe(true);
  return requests;
}

it(`pushes that are gone on with after a kill -9 (seed ${seed})`, {
  timeout: long ? 3_600_000 : 900_000,
}, async () => {
  const all: Manner[] = ['whole', 'streamed', 'chunked'];
  const rounds = long ? 200 : 3;
  for (let round = 1; round <= rounds; round += 1) {
    const image = testImage([randomBytes(50_000), randomBytes(1_500_000), randomBytes(20_000)]);
    const manners = all.map(() => all[Math.floor(random() * all.length)] ?? 'whole');
    const kills = Array.from({ length: 1 + Math.floor(random() * 2) }, () => ({
      request: 1 + Math.floor(random() * 12),
      afterMs: random() < 0.4 ? undefined : Math.floor(random() * 60),
    })).sort((a, b) => a.request - b.request);
    try {
      await pushThrough(`faults/r${round}`, image, manners, kills);
    } catch (error) {
      throw new Error(`round ${round}: ${JSON.stringify({ manners, kills })}`, { cause: error });
    }
  }
  const blobs = azureBlobs(storage.blobUri, 'registry', storage.credential);
  const tables = azureTables(storage.tableUri, storage.credential);
  expect(await inconsistencies(blobs, tables)).toEqual([]);
});
