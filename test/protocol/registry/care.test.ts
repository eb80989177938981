import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PolicyName } from '../../../shared/model/names.ts';
import { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';
import { type PolicyStore, policyStore } from '../../../shared/registry/policy/policy-store.ts';
import { countUse } from '../../../shared/registry/quota/use.ts';
import { content, testImage, testIndex } from '../../support/oci-image.ts';
import { type RegistryClient, registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly detail: Record<string, unknown>;
}
const refusalOf = async (response: Response): Promise<Refusal | undefined> =>
  ((await response.json()) as { errors: Refusal[] }).errors[0];
const image = (size = 1000) => testImage([randomBytes(size)]);

describe.each(['memory', 'azurite'] as const)('care in %s', (kind) => {
  let storage: RegistryStorage;
  let client: RegistryClient;
  let policies: PolicyStore;
  beforeAll(async () => {
    storage = await registryStorages[kind]();
    policies = policyStore(storage.tables, () => new Date());
    client = registryClient((await testRegistry(storage, { policies })).handle);
  });
  afterAll(() => storage?.stop());

  let count = 0;
  const policy = async (value: unknown): Promise<void> => {
    count += 1;
    await policies.put(`p${count}` as PolicyName, RepositoryPolicy.parse(value));
  };
  const digestOf = async (repository: string, reference: string) =>
    (await client.request('HEAD', `/v2/${repository}/manifests/${reference}`)).headers.get(
      'docker-content-digest',
    );
  const rows = async (repository: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { row } of storage.tables.list('registry', { partition: repository }))
      if (!/^[aq]!/.test(row)) found.push(row);
    return found;
  };

  describe('an immutable tag', () => {
    beforeAll(() => policy({ repositories: 'fixed', immutableTags: ['v*'] }));

    test('stays where it points, however it is pushed; the same digest again is no change', async () => {
      const [first, second] = [image(), image()];
      expect((await client.pushImage('fixed', 'v1', first)).status).toBe(201);
      const before = await rows('fixed');
      for (const blob of second.blobs) await client.pushBlob('fixed', blob);
      const links = (await rows('fixed')).length - before.length;
      for (const reference of ['v1', `${second.manifest.digest}?tag=free&tag=v1`]) {
        const refused = await client.pushManifest('fixed', reference, second.manifest);
        expect(refused.status).toBe(409);
        expect(await refusalOf(refused)).toMatchObject({
          code: 'DENIED',
          detail: { tag: 'v1', digest: first.manifest.digest, pattern: 'v*' },
        });
      }
      expect((await rows('fixed')).length - before.length).toBe(links);
      expect(await digestOf('fixed', 'v1')).toBe(first.manifest.digest);
      expect((await client.pushManifest('fixed', 'v1', first.manifest)).status).toBe(201);
      expect((await client.pushManifest('fixed', 'latest', second.manifest)).status).toBe(201);
      expect((await client.pushManifest('fixed', 'latest', first.manifest)).status).toBe(201);
    });

    test('is not deleted, nor what it points to; nothing else of that manifest goes either', async () => {
      const made = image();
      await client.pushImage('fixed', 'v2', made);
      await client.pushImage('fixed', 'other', made);
      for (const reference of ['v2', made.manifest.digest]) {
        const refused = await client.request('DELETE', `/v2/fixed/manifests/${reference}`);
        expect([refused.status, (await refusalOf(refused))?.code]).toEqual([409, 'DENIED']);
      }
      expect(await digestOf('fixed', 'other')).toBe(made.manifest.digest);
      expect((await client.request('DELETE', '/v2/fixed/manifests/other')).status).toBe(202);
    });

    test('is the winner of a race of many pushes', async () => {
      const images = Array.from({ length: 5 }, () => image(10));
      for (const { blobs } of images) for (const blob of blobs) await client.pushBlob('fixed', blob);
      const answers = await Promise.all(
        images.map(({ manifest }) => client.pushManifest('fixed', 'v3', manifest)),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
      const winner = images[answers.findIndex(({ status }) => status === 201)];
      expect(await digestOf('fixed', 'v3')).toBe(winner?.manifest.digest);
    });
  });

  describe('a quota', () => {
    test('refuses a layer before, while and after it comes; nothing is changed', async () => {
      await policy({ repositories: 'small', quota: 5000 });
      expect((await client.pushBlob('small', content('x', randomBytes(4000)))).status).toBe(201);
      const before = await rows('small');
      const large = content('x', randomBytes(2000));

      const whole = await client.pushBlob('small', large);
      expect(whole.status).toBe(403);
      expect(await refusalOf(whole)).toMatchObject({
        code: 'DENIED',
        detail: { quota: 5000, used: 4000, wanted: 2000 },
      });
      const begun = await client.request('POST', '/v2/small/blobs/uploads/');
      const location = begun.headers.get('location') ?? '';
      const streamed = await client.request('PATCH', location, {
        body: new Blob([large.bytes as never]).stream(),
      });
      expect([streamed.status, (await refusalOf(streamed))?.code]).toEqual([403, 'DENIED']);
      expect((await client.request('GET', location)).headers.get('range')).toBe('0-0');
      await client.pushBlob('elsewhere', large);
      const mounted = await client.request(
        'POST',
        `/v2/small/blobs/uploads/?mount=${large.digest}&from=elsewhere`,
      );
      expect([mounted.status, (await refusalOf(mounted))?.code]).toEqual([403, 'DENIED']);
      expect(await rows('small')).toEqual(before);
    });

    test('counts each digest once, manifests too, and what is deleted no more', async () => {
      const made = image(1000);
      const total = [...made.blobs, made.manifest].reduce((sum, { bytes }) => sum + bytes.length, 0);
      await policy({ repositories: 'exact', quota: total });
      for (const tag of ['a', 'b', 'a'])
        expect((await client.pushImage('exact', tag, made)).status).toBe(201);
      expect(await countUse(storage.tables, 'exact' as never)).toBe(total);
      expect((await client.pushBlob('exact', content('x', Buffer.from('1')))).status).toBe(403);
      expect((await client.request('DELETE', `/v2/exact/blobs/${made.blobs[0]?.digest}`)).status).toBe(202);
      expect((await client.pushBlob('exact', content('x', Buffer.from('1')))).status).toBe(201);
      const index = await client.pushManifest('exact', 'c', testIndex([made]));
      expect([index.status, (await refusalOf(index))?.code]).toEqual([403, 'DENIED']);
      expect(await digestOf('exact', 'c')).toBe(null);
    });

    test('is not passed by pushes that come together', async () => {
      await policy({ repositories: 'together', quota: 3500 });
      const blobs = Array.from({ length: 8 }, () => content('x', randomBytes(1000)));
      const answers = await Promise.all(blobs.map((blob) => client.pushBlob('together', blob)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 403, 403, 403, 403, 403]);
      expect(await countUse(storage.tables, 'together' as never)).toBe(3000);
    });
  });

  test('a manifest with many tags goes with all of them, also while one is pushed again', async () => {
    const [made, other] = [image(), image()];
    const tags = Array.from({ length: 33 }, (_, number) => `t${String(number).padStart(2, '0')}`);
    for (const tag of tags) await client.pushImage('many', tag, made);
    await client.pushImage('many', 'other', other);
    const [deleted, pushed] = await Promise.all([
      client.request('DELETE', `/v2/many/manifests/${made.manifest.digest}`),
      client.pushManifest('many', 't20', other.manifest),
    ]);
    expect([deleted.status, pushed.status]).toEqual([202, 201]);
    const listed = await client.request('GET', '/v2/many/tags/list');
    expect(await listed.json()).toEqual({ name: 'many', tags: ['other', 't20'] });
    expect(await digestOf('many', 't20')).toBe(other.manifest.digest);
    expect(await digestOf('many', made.manifest.digest)).toBe(null);
  });
});
