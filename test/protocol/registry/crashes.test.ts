import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Handle } from '../../../infra/registry/exchange.ts';
import type { Access } from '../../../shared/registry/access.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { type Crash, crashingStorage } from '../../support/crashing-storage.ts';
import { type TestImage, testImage } from '../../support/oci-image.ts';
import { ORIGIN } from '../../support/registry-client.ts';
import { testRegistry, testTokens } from '../../support/registry-server.ts';
import { inconsistencies } from '../../support/registry-state.ts';
import { type Manner, pushResuming, type Send } from '../../support/resuming-push.ts';
import { long, random, seed } from '../../support/sample.ts';

const image = testImage([randomBytes(3000), randomBytes(2000), randomBytes(1000)]);
const tokens = await testTokens();
const access: Access[] = [{ type: 'repository', name: 'a/b', actions: ['pull', 'push'] }];
const authorization = `Bearer ${await tokens.issue('tester', access, 3600)}`;
const ask = (handle: Handle, method: string, path: string, init: RequestInit = {}): Promise<Response> => {
  const headers = new Headers(init.headers);
  headers.set('authorization', authorization);
  return handle(new Request(`${ORIGIN}${path}`, { ...init, method, headers, duplex: 'half' }));
};
const manners: readonly Manner[] = ['whole', 'streamed', 'chunked'];

/** One push by a client that goes on, while the registry's process ends as each of `crashes` says, one after the other. */
async function pushWith(crashes: readonly Crash[]): Promise<{ crashed: number; wrong: string[] }> {
  const storage = { blobs: memoryBlobs(), tables: memoryTables() };
  const left = [...crashes];
  const begin = async () => {
    const process = crashingStorage(storage, left.shift());
    return { process, handle: (await testRegistry(process, { tokens })).handle };
  };
  let running = await begin();
  let crashed = 0;
  const send: Send = async (method, path, init) => {
    const { process, handle } = running;
    const answer = await ask(handle, method, path, init);
    // Whatever it still said, nobody heard it.
    if (process.crashed()) throw new Error('the connection was lost');
    return answer;
  };
  const recovered = async () => {
    crashed += 1;
    running = await begin();
  };
  const confirmed = { blobs: new Set<string>(), manifest: false };
  await pushResuming(send, recovered, 'a/b', 'latest', image, manners, 700, confirmed);
  const wrong = [
    ...(await inconsistencies(storage.blobs, storage.tables)),
    ...(await missing(storage, image)),
  ];
  return { crashed, wrong };
}

/** What of the image a reader does not get, byte for byte. */
async function missing(storage: Parameters<typeof testRegistry>[0], { blobs, manifest }: TestImage) {
  const { handle } = await testRegistry(storage, { tokens });
  const wrong: string[] = [];
  for (const [path, { bytes }] of [
    ...blobs.map((blob) => [`blobs/${blob.digest}`, blob] as const),
    [`manifests/${manifest.digest}`, manifest] as const,
    ['manifests/latest', manifest] as const,
  ]) {
    const answer = await ask(handle, 'GET', `/v2/a/b/${path}`);
    if (!answer.ok || !Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(bytes)))
      wrong.push(`${path}: ${answer.status}`);
  }
  return wrong;
}

test('a process that ends before or after any one of its calls of storage', async () => {
  for (const done of [false, true])
    for (let call = 1; ; call += 1) {
      const { crashed, wrong } = await pushWith([{ call, done }]);
      expect(wrong, `call ${call}, ${done ? 'after' : 'before'} it`).toEqual([]);
      if (crashed === 0) {
        expect(call).toBeGreaterThan(50);
        break;
      }
    }
});

test(`processes that end again and again (seed ${seed})`, async () => {
  for (let run = 0; run < (long ? 5_000 : 100); run += 1) {
    const crashes = Array.from({ length: 1 + Math.floor(random() * 5) }, () => ({
      call: 1 + Math.floor(random() * 40),
      done: random() < 0.5,
    }));
    expect((await pushWith(crashes)).wrong, JSON.stringify(crashes)).toEqual([]);
  }
});
