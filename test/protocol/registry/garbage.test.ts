import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CarePhase, type Finding, phasesOf } from '../../../shared/model/care-run.ts';
import type { Step } from '../../../shared/registry/care/step.ts';
import { gcSteps } from '../../../shared/registry/care/steps.ts';
import { content, testImage } from '../../support/oci-image.ts';
import { type RegistryClient, registryClient } from '../../support/registry-client.ts';
import { type TestRegistry, testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';

const HOUR = 3600 * 1000;
let storage: RegistryStorage;
let registry: TestRegistry;
let client: RegistryClient;
/** How far the registry's clock is ahead of the storage's, milliseconds: that is what makes things old. */
let ahead = 0;
beforeAll(async () => {
  storage = await registryStorages.azurite();
  registry = await testRegistry(storage, { now: () => new Date(Date.now() + ahead) });
  client = registryClient(registry.handle);
});
afterAll(() => storage?.stop());

let runs = 0;
async function collect(): Promise<readonly Finding[]> {
  runs += 1;
  const startedAt = registry.deps.now();
  const order = {
    run: `run${runs}`,
    kind: 'gc' as const,
    dryRun: false,
    by: 'test',
    startedAt: startedAt.toISOString(),
  };
  const findings: Finding[] = [];
  for (const phase of phasesOf.gc satisfies readonly CarePhase[]) {
    const step: Step = gcSteps[phase];
    let cursor: string | undefined;
    do {
      const page = await step(registry.deps, { order, startedAt, cursor });
      findings.push(...page.findings);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return findings;
}
const names = async (prefix: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const { name } of storage.blobs.list(prefix)) found.push(name);
  return found;
};

test('on Azurite: what nothing names goes, in two runs; what is named, restorable or new stays', async () => {
  const [kept, deleted, moved] = [1, 2, 3].map((size) => testImage([randomBytes(size * 100)]));
  await client.pushImage('shop/web', 'kept', kept!);
  await client.pushImage('shop/web', 'deleted', deleted!);
  await client.pushImage('shop/api', 'moved', moved!);
  await client.pushImage('tools', 'copy', deleted!);
  await client.pushBlob('shop/web', content('x', randomBytes(50)));
  const begun = await client.request('POST', '/v2/shop/web/blobs/uploads/');
  await client.request('PATCH', begun.headers.get('location') ?? '', { body: 'some bytes' });
  expect(await collect()).toEqual([]);

  await client.request('DELETE', `/v2/shop/web/manifests/${deleted!.manifest.digest}`);
  await client.request('DELETE', `/v2/tools/manifests/${deleted!.manifest.digest}`);
  ahead = 26 * HOUR;
  const kinds = async () => (await collect()).map(({ what }) => what).sort();
  // The links of the deleted image, in both repositories, and the blob that no image names.
  expect(await kinds()).toEqual(['blob', 'data', 'link', 'link', 'link', 'link', 'link']);
  ahead = 8 * 24 * HOUR;
  expect(await kinds()).toEqual([
    ...['blob', 'blob', 'data', 'data', 'data'],
    ...['deleted', 'deleted', 'deleted', 'deleted', 'manifest', 'upload'],
  ]);
  ahead += 4 * HOUR;
  expect(await kinds()).toEqual(['data', 'data']);
  expect(await kinds()).toEqual([]);
  const left = [kept!, moved!];
  expect(await names('blobs/')).toHaveLength(4);
  expect(await names('data/')).toHaveLength(4);
  expect(await names('manifests/')).toHaveLength(2);
  expect([...(await names('uploads/')), ...(await names('gc/'))]).toEqual([]);
  for (const [index, repository] of ['shop/web', 'shop/api'].entries())
    for (const { digest, bytes } of left[index]!.blobs) {
      const got = await client.request('GET', `/v2/${repository}/blobs/${digest}`);
      expect(Buffer.from(await got.arrayBuffer())).toEqual(Buffer.from(bytes));
    }
});
