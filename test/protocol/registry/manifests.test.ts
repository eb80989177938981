import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CloudEvent } from '../../../shared/model/cloud-event.ts';
import { listImages } from '../../../shared/registry/catalog.ts';
import { leftBehind } from '../../../shared/registry/left-behind.ts';
import { content, descriptor, sha256, testImage, testIndex } from '../../support/oci-image.ts';
import { type RegistryClient, registryClient } from '../../support/registry-client.ts';
import { type TestRegistry, testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';

const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code;
const image = (form: 'oci' | 'docker' = 'oci') => testImage([randomBytes(2000), randomBytes(10)], { form });

describe.each(['memory', 'azurite'] as const)('manifests in %s', (kind) => {
  let storage: RegistryStorage;
  let registry: TestRegistry;
  let client: RegistryClient;
  beforeAll(async () => {
    storage = await registryStorages[kind]();
    registry = await testRegistry(storage);
    client = registryClient(registry.handle);
  });
  afterAll(() => storage?.stop());

  const read = (repository: string, reference: string) =>
    client.request('GET', `/v2/${repository}/manifests/${reference}`);
  const unsent = async (at = new Date()): Promise<CloudEvent[]> => {
    const found: CloudEvent[] = [];
    for await (const { pushes } of leftBehind(storage.tables, at))
      found.push(...pushes.map(({ event }) => event));
    return found;
  };

  test.each(['oci', 'docker'] as const)('%s images and indexes come back byte for byte', async (form) => {
    const images = [image(form), image(form)];
    for (const [number, made] of images.entries())
      expect((await client.pushImage(`exact/${form}`, `part-${number}`, made)).status).toBe(201);
    const index = testIndex(images, form);
    const pushed = await client.pushManifest(`exact/${form}`, 'all', index);
    expect(pushed.status).toBe(201);
    expect(pushed.headers.get('location')).toBe(`/v2/exact/${form}/manifests/all`);
    for (const reference of ['all', index.digest]) {
      const got = await read(`exact/${form}`, reference);
      expect(got.headers.get('content-type')).toBe(index.mediaType);
      expect(got.headers.get('docker-content-digest')).toBe(index.digest);
      expect(Buffer.from(await got.arrayBuffer())).toEqual(index.bytes);
      const head = await client.request('HEAD', `/v2/exact/${form}/manifests/${reference}`);
      expect(head.headers.get('content-length')).toBe(String(index.bytes.length));
    }
  });

  test('each push of a tag is an event of its own, passed on once', async () => {
    const [first, second] = [image(), image()];
    const before = registry.events.length;
    for (const made of [first, second, first]) await client.pushImage('events/a', 'v1', made);
    const pushed = registry.events.slice(before);
    expect(pushed.map(({ data }) => data)).toEqual(
      [first, second, first].map(({ manifest }) => ({
        repository: 'events/a',
        tag: 'v1',
        digest: manifest.digest,
        mediaType: manifest.mediaType,
        size: manifest.bytes.length,
        origin: expect.objectContaining({ actor: 'operator', method: 'PUT' }),
      })),
    );
    expect(new Set(pushed.map(({ id }) => id)).size).toBe(3);
    for (const { id, source, type } of pushed) {
      expect(id).toMatch(/^v1:\d+$/);
      expect([source, type]).toEqual(['registry/events/a', 'dev.berth.registry.push']);
    }
    expect(await unsent()).toEqual([]);
  });

  test('a tag that was deleted and pushed again gives another event', async () => {
    const made = image();
    await client.pushImage('events/b', 'v1', made);
    await client.request('DELETE', '/v2/events/b/manifests/v1');
    await client.pushImage('events/b', 'v1', made);
    const ids = registry.events.filter(({ source }) => source === 'registry/events/b').map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  test('an event that nobody accepted stays until somebody does', async () => {
    const failing = await testRegistry(storage, {
      onActivity: async () => {
        throw new Error('the event store is not there');
      },
    });
    const pushed = await registryClient(failing.handle).pushImage('events/c', 'v1', image());
    expect(pushed.status).toBe(201);
    expect(failing.reports).toHaveLength(1);
    const [event, ...others] = await unsent();
    expect([event?.source, others]).toEqual(['registry/events/c', []]);
    for await (const { pushes } of leftBehind(storage.tables, new Date()))
      for (const push of pushes) await push.accepted();
    expect(await unsent()).toEqual([]);
  });

  test('a sweep long after the last push reads no more than the repositories', async () => {
    await client.pushImage('events/d', 'v1', image());
    await unsent(new Date(Date.now() + 3_600_000));
    const settled = storage.tables.list('repositories', { partition: 'repository' });
    for await (const row of settled) expect(row.values.unsettled).toBe(false);
  });

  test('many clients push one tag: all succeed, each with its own event', async () => {
    const images = Array.from({ length: 6 }, () => image());
    for (const made of images) for (const blob of made.blobs) await client.pushBlob('race/a', blob);
    const answers = await Promise.all(
      images.map(({ manifest }) => client.pushManifest('race/a', 'same', manifest)),
    );
    expect(answers.map(({ status }) => status)).toEqual(images.map(() => 201));
    const ids = registry.events.filter(({ source }) => source === 'registry/race/a').map(({ id }) => id);
    expect(new Set(ids).size).toBe(images.length);
    const last = registry.events.findLast(({ id }) => id === ids.toSorted().at(-1));
    const got = await read('race/a', 'same');
    expect(got.headers.get('docker-content-digest')).toBe((last!.data as { digest: string }).digest);
  });

  test('what the manifest names must be in the repository', async () => {
    const made = image();
    await client.pushImage('named/a', 'v1', made);
    const elsewhere = await client.pushManifest('named/b', 'v1', made.manifest);
    expect([elsewhere.status, await codeOf(elsewhere)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    const index = await client.pushManifest('named/b', 'v1', testIndex([made]));
    expect([index.status, await codeOf(index)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    expect((await read('named/b', 'v1')).status).toBe(404);
  });

  test('by digest with tags, all at once', async () => {
    const { blobs, manifest } = image();
    for (const blob of blobs) await client.pushBlob('many/tags', blob);
    const pushed = await client.pushManifest('many/tags', `${manifest.digest}?tag=a&tag=b`, manifest);
    expect([pushed.status, pushed.headers.get('oci-tag')]).toEqual([201, 'a, b']);
    for (const tag of ['a', 'b'])
      expect((await read('many/tags', tag)).headers.get('docker-content-digest')).toBe(manifest.digest);
    const wrong = await client.pushManifest('many/tags', sha256('another'), manifest);
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID']);
  });

  test('deleting a manifest takes its tags with it and leaves others', async () => {
    const [made, other] = [image(), image()];
    for (const tag of ['a', 'b']) await client.pushImage('delete/a', tag, made);
    await client.pushImage('delete/a', 'c', other);
    const path = `/v2/delete/a/manifests/${made.manifest.digest}`;
    expect((await client.request('DELETE', path)).status).toBe(202);
    expect((await client.request('DELETE', path)).status).toBe(404);
    for (const gone of ['a', 'b', made.manifest.digest])
      expect(await codeOf(await read('delete/a', gone))).toBe('MANIFEST_UNKNOWN');
    const list = await client.request('GET', '/v2/delete/a/tags/list');
    expect(await list.json()).toEqual({ name: 'delete/a', tags: ['c'] });
  });

  test('tags and repositories come in pages', async () => {
    const made = image();
    const tags = ['Z', '_x', 'a', 'a-1', 'a.1', 'b'];
    for (const tag of tags) await client.pushImage('pages/a', tag, made);
    let next: string | undefined = '/v2/pages/a/tags/list?n=2';
    const found: string[] = [];
    while (next !== undefined) {
      const page: Response = await client.request('GET', next);
      const { tags: some } = (await page.json()) as { tags: string[] };
      expect(some.length).toBeLessThanOrEqual(2);
      found.push(...some);
      next = /^<(?<next>[^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.groups?.next;
    }
    expect(found).toEqual(tags);
    const none = await client.request('GET', '/v2/pages/a/tags/list?n=0');
    expect(await none.json()).toEqual({ name: 'pages/a', tags: [] });
    const wrong = await client.request('GET', '/v2/pages/a/tags/list?n=some');
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
    expect(await codeOf(await client.request('GET', '/v2/pages/none/tags/list'))).toBe('NAME_UNKNOWN');

    await client.pushImage('pages/b', 'v1', made);
    const catalog = await client.request('GET', '/v2/_catalog?last=pages/a&n=1');
    expect(await catalog.json()).toEqual({ repositories: ['pages/b'] });
  });

  test('referrers: also before their subject comes, by kind, with annotations however long', async () => {
    const subject = image();
    const path = `/v2/refer/a/referrers/${subject.manifest.digest}`;
    const referrer = (artifactType: string, note: string) =>
      testImage([randomBytes(20)], {
        fields: { artifactType, subject: descriptor(subject.manifest), annotations: { note } },
      });
    const none = await client.request('GET', path);
    expect([none.status, ((await none.json()) as { manifests: unknown[] }).manifests]).toEqual([200, []]);
    const sbom = referrer('application/spdx+json', 'short');
    const signature = referrer('application/vnd.example.signature', 'x'.repeat(200_000));
    for (const made of [sbom, signature]) {
      const pushed = await client.pushImage('refer/a', made.manifest.digest, made);
      expect([pushed.status, pushed.headers.get('oci-subject')]).toEqual([201, subject.manifest.digest]);
    }
    const all = (await (await client.request('GET', path)).json()) as {
      manifests: { digest: string; annotations: { note: string } }[];
    };
    expect(all.manifests.map(({ digest }) => digest)).toEqual(
      [sbom, signature].map(({ manifest }) => manifest.digest).sort(),
    );
    expect(all.manifests.map(({ annotations }) => annotations.note.length).sort()).toEqual([200_000, 5]);
    const some = await client.request('GET', `${path}?artifactType=application/spdx%2Bjson`);
    expect(some.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(await some.json()).toMatchObject({ manifests: [{ digest: sbom.manifest.digest }] });
    await client.request('DELETE', `/v2/refer/a/manifests/${sbom.manifest.digest}`);
    expect(await (await client.request('GET', path)).json()).toMatchObject({
      manifests: [{ digest: signature.manifest.digest }],
    });
  });

  test('images as people see them', async () => {
    const made = image();
    await client.pushImage('listed/a', 'v1', made);
    const size = [...made.blobs, made.manifest].reduce((sum, { bytes }) => sum + bytes.length, 0);
    const { images } = await listImages(storage.tables, {
      may: (repository) => repository === 'listed/a',
      limit: 10,
    });
    expect(images).toMatchObject([{ tag: 'v1', digest: made.manifest.digest, size }]);
  });

  const oci = new URL('../../../../shared/reference/oci/', import.meta.url);
  test.skipIf(!existsSync(oci)).each(['index.json', 'artifact-minimal.json', 'manifest.json'])(
    'the example %s of the specification is read as what it is',
    async (name) => {
      const bytes = readFileSync(new URL(`image-spec/examples/${name}`, oci));
      const { mediaType } = JSON.parse(bytes.toString()) as { mediaType: string };
      const pushed = await client.pushManifest('examples/a', 'v1', content(mediaType, bytes));
      // Understood, and its content is not here.
      expect(await codeOf(pushed)).toBe('MANIFEST_BLOB_UNKNOWN');
    },
  );
});
