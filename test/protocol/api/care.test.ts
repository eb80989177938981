import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PolicyName } from '../../../shared/model/names.ts';
import { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';
import type { PolicyStore } from '../../../shared/registry/policy/policy-store.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { type Answer, makeAsk } from '../../support/ask.ts';
import { descriptor, testImage, testIndex } from '../../support/oci-image.ts';
import { type RegistryClient, registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
let client: RegistryClient;
let policies: PolicyStore;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
  const { blobs, tables } = world.server.services.registry;
  // The registry's own: another instance would go on for some seconds with what it read.
  policies = world.server.services.registry.policies as PolicyStore;
  client = registryClient((await testRegistry({ blobs, tables }, { policies })).handle);
});
afterAll(() => world.server.close());

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;
const image = (subject?: object) =>
  testImage([randomBytes(2000)], { fields: subject === undefined ? {} : { subject } });
const digestOf = async (repository: string, reference: string) =>
  (await client.request('HEAD', `/v2/${repository}/manifests/${reference}`)).headers.get(
    'docker-content-digest',
  );
const remove = (repository: string, reference: string) =>
  client.request('DELETE', `/v2/${repository}/manifests/${reference}`);
const restore = (repository: string, reference: string, more: object = {}) =>
  ask('POST', '/api/v1/images/restore', { json: { repository, reference, ...more } });
const policy = async (name: string, json: unknown): Promise<void> => {
  await ask('PUT', `/api/v1/registry/policies/${name}`, { json });
  await policies.put(name as PolicyName, RepositoryPolicy.parse(json));
};
const trash = async (repository: string) =>
  ((await ask('GET', `/api/v1/registry/trash?repository=${repository}`)).json as { deleted: object[] })
    .deleted;

describe('what was deleted', () => {
  it('is listed with who and when, and an image comes back with its tags, once', async () => {
    const made = image();
    for (const tag of ['v1', 'v2']) await client.pushImage('back/a', tag, made);
    await remove('back/a', made.manifest.digest);
    const [first, ...others] = await trash('back/a');
    expect(first).toMatchObject({ repository: 'back/a', tag: 'v1', deletedBy: 'operator' });
    expect(others).toMatchObject([{ tag: 'v2' }, { digest: made.manifest.digest }]);
    const answer = await restore('back/a', made.manifest.digest);
    expect(answer.json).toEqual({ manifests: [made.manifest.digest], tags: ['v1', 'v2'], taken: [] });
    for (const reference of ['v1', 'v2', made.manifest.digest])
      expect(await digestOf('back/a', reference)).toBe(made.manifest.digest);
    expect(await trash('back/a')).toEqual([]);
    expect(codeOf(await restore('back/a', made.manifest.digest))).toBe('404 nothing-to-restore');
    expect(codeOf(await restore('back/a', 'v1'))).toBe('404 nothing-to-restore');
  });

  it('comes back by tag: the newest deletion, its manifest too if that was deleted later', async () => {
    const [old, newer] = [image(), image()];
    for (const made of [old, newer]) {
      await client.pushImage('back/b', 'v1', made);
      await remove('back/b', 'v1');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await remove('back/b', newer.manifest.digest);
    expect((await restore('back/b', 'v1')).json).toMatchObject({
      manifests: [newer.manifest.digest],
      tags: ['v1'],
    });
    expect(await digestOf('back/b', 'v1')).toBe(newer.manifest.digest);
  });

  it('does not overwrite a tag that is there by now, unless it is told to', async () => {
    const [old, newer] = [image(), image()];
    for (const tag of ['v1', 'v2']) await client.pushImage('back/c', tag, old);
    await remove('back/c', old.manifest.digest);
    await client.pushImage('back/c', 'v1', newer);
    expect(codeOf(await restore('back/c', 'v1'))).toBe('409 tag-taken');
    expect(await digestOf('back/c', old.manifest.digest)).toBe(null);
    const answer = await restore('back/c', old.manifest.digest);
    expect(answer.json).toEqual({ manifests: [old.manifest.digest], tags: ['v2'], taken: ['v1'] });
    expect(await digestOf('back/c', 'v1')).toBe(newer.manifest.digest);
    expect((await restore('back/c', 'v1', { force: true })).json).toMatchObject({ tags: ['v1'] });
    expect(await digestOf('back/c', 'v1')).toBe(old.manifest.digest);
    await policy('fixed', { repositories: 'back/c', immutableTags: ['v1'] });
    await remove('back/c', 'v2');
    await client.pushImage('back/c', 'v2', newer);
    expect((await restore('back/c', 'v2', { force: true })).status).toBe(200);
  });

  it('brings the parts of an index and the signatures of an image with it', async () => {
    const parts = [image(), image()];
    for (const part of parts) await client.pushImage('back/d', part.manifest.digest, part);
    const index = testIndex(parts);
    await client.pushManifest('back/d', 'v1', index);
    const signature = image(descriptor(index));
    await client.pushImage('back/d', signature.manifest.digest, signature);
    for (const { digest } of [index, signature.manifest, ...parts.map(({ manifest }) => manifest)])
      expect((await remove('back/d', digest)).status).toBe(202);
    const answer = (await restore('back/d', 'v1')).json as { manifests: string[] };
    expect(answer.manifests).toHaveLength(4);
    const referrers = await client.request('GET', `/v2/back/d/referrers/${index.digest}`);
    expect(await referrers.json()).toMatchObject({ manifests: [{ digest: signature.manifest.digest }] });
  });

  it('cannot come back where nothing is kept, nor beyond the quota', async () => {
    await policy('none', { repositories: 'back/e', restorableForDays: 0 });
    const made = image();
    await client.pushImage('back/e', 'v1', made);
    await remove('back/e', made.manifest.digest);
    expect(await trash('back/e')).toEqual([]);
    expect(codeOf(await restore('back/e', 'v1'))).toBe('404 nothing-to-restore');
    await client.pushImage('back/f', 'v1', made);
    await remove('back/f', 'v1');
    await remove('back/f', made.manifest.digest);
    for (const blob of made.blobs) await client.request('DELETE', `/v2/back/f/blobs/${blob.digest}`);
    await policy('tight', { repositories: 'back/f', quota: 100 });
    expect(codeOf(await restore('back/f', 'v1'))).toBe('403 denied');
  });
});

it('use and quota of each repository', async () => {
  const made = image();
  await client.pushImage('quota/a', 'v1', made);
  await policy('quota', { repositories: 'quota/a', quota: 50_000 });
  const used = [...made.blobs, made.manifest].reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect((await ask('GET', '/api/v1/registry/quotas?repository=quota/a')).json).toEqual({
    repositories: [{ repository: 'quota/a', used, quota: 50_000 }],
  });
  const { repositories } = (await ask('GET', '/api/v1/registry/quotas')).json as { repositories: object[] };
  expect(repositories).toContainEqual({ repository: 'quota/a', used, quota: 50_000 });
});

it('what is asked of a repository that is not there is refused, and the nearest named', async () => {
  await client.pushImage('asked/web', 'v1', image());
  const json = { repository: 'asked/wep', dryRun: true };
  for (const answer of [
    await ask('GET', '/api/v1/registry/quotas?repository=asked/wep'),
    await ask('POST', '/api/v1/registry/retention/runs', { json }),
    await ask('GET', '/api/v1/registry/trash?repository=asked/wep'),
    await ask('GET', '/api/v1/registry/audit?repository=asked/wep'),
  ]) {
    expect(codeOf(answer)).toBe('404 repository-not-found');
    expect(answer.text).toContain('Did you mean asked/web?');
  }
  expect((await ask('GET', '/api/v1/registry/retention/runs')).json).toEqual({ runs: [] });
  // One that is empty by now is there: what was done in it is told, and that nothing was done since.
  const gone = image();
  await client.pushImage('asked/gone', 'v1', gone);
  await remove('asked/gone', gone.manifest.digest);
  expect(await trash('asked/gone')).toMatchObject([{ tag: 'v1' }, { digest: gone.manifest.digest }]);
  const audit = '/api/v1/registry/audit?repository=asked/gone';
  expect((await ask('GET', audit)).json).toMatchObject({
    events: expect.arrayContaining([expect.objectContaining({ subject: 'v1' })]),
  });
  expect((await ask('GET', `${audit}&since=2999-01-01T00:00:00Z`)).json).toEqual({ events: [] });
  // Blobs come before the first manifest, and count.
  await client.pushBlob('asked/new', image().blobs[1]!);
  expect((await ask('GET', '/api/v1/registry/quotas?repository=asked/new')).json).toMatchObject({
    repositories: [{ used: 2000 }],
  });
});

describe('runs', () => {
  it('begin as an orchestration, are listed, and are told as cut off where that is gone', async () => {
    const begun = await ask('POST', '/api/v1/registry/gc/runs', { json: { dryRun: true } });
    expect([begun.status, begun.json]).toMatchObject([
      202,
      { kind: 'gc', dryRun: true, by: 'admin', state: 'going' },
    ]);
    const { run } = begun.json as { run: string };
    expect(world.server.durable.starts.at(-1)).toMatchObject({
      name: 'care-for-registry',
      id: 'registry-gc',
      input: { order: { run }, phase: 0 },
    });
    expect((await ask('GET', '/api/v1/registry/gc/runs')).json).toMatchObject({
      runs: [{ run, state: 'failed' }],
    });
    expect((await ask('GET', `/api/v1/registry/gc/runs/${run}`)).json).toMatchObject({
      run: { run },
      findings: [],
    });
    expect(codeOf(await ask('GET', `/api/v1/registry/retention/runs/${run}`))).toBe('404 run-not-found');
    expect((await ask('POST', '/api/v1/registry/other/runs', { json: {} })).status).toBe(400);
  });

  it('are for those alone who administer the whole registry', async () => {
    const { text } = (
      await ask('POST', '/api/v1/keys', {
        json: { repositories: [{ repositories: 'team/**', actions: ['admin'] }] },
      })
    ).json as { text: string };
    expect((await ask('POST', '/api/v1/registry/gc/runs', { json: {}, key: text })).status).toBe(403);
    expect((await ask('GET', '/api/v1/registry/trash?repository=back/a', { key: text })).status).toBe(403);
    expect((await ask('GET', '/api/v1/registry/trash', { key: text })).json).toEqual({ deleted: [] });
    const asked = { json: { repository: 'back/c', reference: 'v1' }, key: text };
    expect((await ask('POST', '/api/v1/images/restore', asked)).status).toBe(403);
  });
});
