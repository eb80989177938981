import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyStore } from '../../../shared/auth/key-store.ts';
import { RepositoryGrant } from '../../../shared/auth/repository-grant.ts';
import { ServiceKey } from '../../../shared/model/service.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { type Answer, makeAsk } from '../../support/ask.ts';
import { cosignTag } from '../../support/cosign.ts';
import { descriptor, testImage, testIndex } from '../../support/oci-image.ts';
import { type RegistryClient, registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
let client: RegistryClient;
let handle: (request: Request) => Promise<Response>;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
  const { blobs, tables } = world.server.services.registry;
  ({ handle } = await testRegistry({ blobs, tables }));
  client = registryClient(handle, 'operator');
});
afterAll(() => world.server.close());

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;
const image = () => testImage([randomBytes(2000), randomBytes(300)]);
const copy = (from: object, to: object, more: object = {}) =>
  ask('POST', '/api/v1/images/copies', { json: { from, to, ...more } });
const details = async (repository: string, reference: string) =>
  (await ask('GET', `/api/v1/images/details?repository=${repository}&reference=${reference}`)).json;
const digestOf = async (repository: string, tag: string) =>
  (await client.request('HEAD', `/v2/${repository}/manifests/${tag}`)).headers.get('docker-content-digest');

describe('listing', () => {
  it('goes page by page', async () => {
    const made = image();
    for (const name of ['list/a', 'list/a-b', 'list/b'])
      for (const tag of ['v1', 'v10', 'v2']) await client.pushImage(name, tag, made);
    const all = (await ask('GET', '/api/v1/images')).json as { images: unknown[] };
    const paged: unknown[] = [];
    let after = '';
    for (;;) {
      const { images, next } = (await ask('GET', `/api/v1/images?limit=2${after}`)).json as {
        images: unknown[];
        next?: string;
      };
      paged.push(...images);
      if (next === undefined) break;
      expect(images).toHaveLength(2);
      after = `&after=${next}`;
    }
    expect(all.images.length).toBeGreaterThanOrEqual(9);
    expect(paged).toEqual(all.images);
    const one = (await ask('GET', '/api/v1/images?repository=list/a')).json as { images: object[] };
    expect(one.images).toMatchObject(
      ['v1', 'v10', 'v2'].map((tag) => ({ repository: 'list/a', tag, digest: made.manifest.digest })),
    );
  });

  it('names the nearest where nothing is', async () => {
    const unknown = await ask('GET', '/api/v1/images?repository=list/aa');
    expect(codeOf(unknown)).toBe('404 repository-not-found');
    expect(unknown.text).toContain('Did you mean list/a or list/a-b or list/b?');
    const tag = await ask('GET', '/api/v1/images/details?repository=list/a&reference=v3');
    expect(codeOf(tag)).toBe('404 image-not-found');
    expect(tag.text).toContain('Did you mean v1 or v2 or v10?');
    const bad = await ask('GET', '/api/v1/images/details?repository=list/a&reference=sha256:x');
    expect(codeOf(bad)).toBe('400 request-invalid');
  });
});

describe('an image', () => {
  it('is shown with its tags, layers, who pushed it and what refers to it', async () => {
    const made = image();
    await client.pushImage('show/a', 'v1', made);
    await client.pushImage('show/a', 'latest', made);
    const signature = testImage([randomBytes(10)], {
      fields: { subject: descriptor(made.manifest), artifactType: 'application/example.signature' },
    });
    await client.pushImage('show/a', 'sig', signature);
    expect(await details('show/a', 'v1')).toMatchObject({
      digest: made.manifest.digest,
      tags: ['latest', 'v1'],
      size: [made.manifest, ...made.blobs].reduce((sum, { bytes }) => sum + bytes.length, 0),
      pushedBy: { actor: 'operator' },
      config: { platform: 'linux/amd64', environment: [], entrypoint: [] },
      layers: made.blobs.slice(1).map(({ digest, bytes }) => ({ digest, size: bytes.length })),
      referrers: [{ digest: signature.manifest.digest, artifactType: 'application/example.signature' }],
      manifest: { schemaVersion: 2 },
    });
  });

  it('that is an index is shown with its platforms', async () => {
    const images = [image(), image()];
    const index = testIndex(images);
    for (const made of images) await client.pushImage('show/index', made.manifest.digest, made);
    await client.pushManifest('show/index', 'v1', index);
    expect(await details('show/index', 'v1')).toMatchObject({
      layers: [],
      manifests: [
        { digest: images[0]!.manifest.digest, platform: 'linux/amd64' },
        { digest: images[1]!.manifest.digest, platform: 'linux/arm64' },
      ],
    });
  });
});

describe('copying', () => {
  it('gives a tag in the same repository, and elsewhere without moving bytes', async () => {
    const made = image();
    await client.pushImage('copy/a', 'v1', made);
    const { digest } = made.manifest;
    const tagged = await copy({ repository: 'copy/a', reference: 'v1' }, { repository: 'copy/a', tag: 'v2' });
    expect([tagged.status, tagged.json]).toEqual([200, { digest, manifests: 1, mounted: 0 }]);
    const other = await copy({ repository: 'copy/a', reference: digest }, { repository: 'copy/b', tag: 'x' });
    expect(other.json).toEqual({ digest, manifests: 1, mounted: 3 });
    expect(await digestOf('copy/b', 'x')).toBe(digest);
    for (const blob of made.blobs)
      expect(await (await client.request('GET', `/v2/copy/b/blobs/${blob.digest}`)).bytes()).toEqual(
        new Uint8Array(blob.bytes),
      );
    const again = await copy({ repository: 'copy/a', reference: 'v1' }, { repository: 'copy/b', tag: 'x' });
    expect(again.json).toMatchObject({ mounted: 0 });
  });

  it('takes the platforms of an index along, and what refers to it if asked to', async () => {
    const images = [image(), image()];
    const index = testIndex(images);
    for (const made of images) await client.pushImage('copy/index', made.manifest.digest, made);
    await client.pushManifest('copy/index', 'v1', index);
    const refer = (subject: Parameters<typeof descriptor>[0]) =>
      testImage([randomBytes(9)], { fields: { subject: descriptor(subject), artifactType: 'x/y' } });
    const onIndex = refer(index);
    const onChild = refer(images[1]!.manifest);
    const onSignature = refer(onIndex.manifest);
    for (const made of [onIndex, onChild, onSignature])
      await client.pushImage('copy/index', made.manifest.digest, made);
    const from = { repository: 'copy/index', reference: 'v1' };
    const bare = await copy(from, { repository: 'copy/bare', tag: 'v1' });
    expect(bare.json).toMatchObject({ digest: index.digest, manifests: 3 });
    const signatures = cosignTag(index.bytes, 'sig');
    const old = image();
    await client.pushImage('copy/index', signatures, old);
    const whole = await copy(from, { repository: 'copy/whole', tag: 'v1' }, { referrers: true });
    expect(whole.json).toMatchObject({ manifests: 7 });
    expect(await digestOf('copy/whole', signatures)).toBe(old.manifest.digest);
    expect(await details('copy/whole', onIndex.manifest.digest)).toMatchObject({
      referrers: [{ digest: onSignature.manifest.digest }],
    });
    expect(await details('copy/bare', 'v1')).toMatchObject({ referrers: [] });
  });

  it('moves a tag with an event, as a push does', async () => {
    await client.pushImage('copy/e', 'v1', image());
    const second = image();
    await client.pushImage('copy/e', 'v2', second);
    await copy({ repository: 'copy/e', reference: 'v2' }, { repository: 'copy/e', tag: 'v1' });
    const events = (await ask('GET', '/api/v1/events?source=registry/copy/e')).json as { events: object[] };
    expect(events.events).toMatchObject([
      { event: { subject: 'v1', data: { digest: second.manifest.digest, origin: { actor: 'admin' } } } },
    ]);
  });

  it('holds to the rights of the caller on either side', async () => {
    const made = image();
    await client.pushImage('rights/a', 'v1', made);
    await client.pushImage('rights/b', 'v1', image());
    const { tables, services } = world.server;
    const grants = ['rights/a=pull', 'rights/c=push'].map((text) => {
      const [repositories, action] = text.split('=');
      return RepositoryGrant.parse({ repositories, actions: [action] });
    });
    const key = (
      await keyStore(tables, services.settings.adminKeyHash).create(undefined, '', undefined, grants)
    ).text;
    const as = (from: string, to: string) =>
      ask('POST', '/api/v1/images/copies', {
        key,
        json: { from: { repository: from, reference: 'v1' }, to: { repository: to, tag: 'v1' } },
      });
    expect((await as('rights/a', 'rights/c')).status).toBe(200);
    expect(codeOf(await as('rights/a', 'rights/b'))).toBe('403 forbidden');
    expect(codeOf(await as('rights/b', 'rights/c'))).toBe('403 forbidden');
    const listed = (await ask('GET', '/api/v1/images', { key })).json as { images: object[] };
    expect(listed.images).toMatchObject([{ repository: 'rights/a' }]);
    expect((await ask('GET', '/api/v1/images/usage', { key })).json).toMatchObject({
      repositories: [{ repository: 'rights/a', shared: 0 }],
    });
    expect(codeOf(await ask('GET', '/api/v1/images/details?repository=rights/b&reference=v1', { key }))).toBe(
      '403 forbidden',
    );
    expect(codeOf(await ask('DELETE', '/api/v1/images/tags?repository=rights/a&tag=v1', { key }))).toBe(
      '403 forbidden',
    );
    expect(await digestOf('rights/a', 'v1')).toBe(made.manifest.digest);
  });
});

describe('deleting', () => {
  it('takes a tag away, and leaves the image', async () => {
    const made = image();
    await client.pushImage('delete/a', 'v1', made);
    const answer = await ask('DELETE', '/api/v1/images/tags?repository=delete/a&tag=v1');
    expect(answer.json).toEqual({ repository: 'delete/a', tag: 'v1', digest: made.manifest.digest });
    expect(await details('delete/a', made.manifest.digest)).toMatchObject({ tags: [] });
    expect(codeOf(await ask('DELETE', '/api/v1/images/tags?repository=delete/a&tag=v1'))).toBe(
      '404 image-not-found',
    );
  });

  it('wants consent where something would no longer work', async () => {
    const images = [image(), image()];
    const index = testIndex(images);
    for (const made of images) await client.pushImage('delete/run', made.manifest.digest, made);
    await client.pushManifest('delete/run', 'v1', index);
    const application = { name: 'runner', services: { web: { image: 'delete/run:v1' } } };
    await ask('PUT', '/api/v1/environments/dev/applications/runner', { json: application });
    await world.changeService(
      ServiceKey.parse({ environment: 'dev', application: 'runner', service: 'web' }),
      { rollout: { state: 'done', at: new Date().toISOString() } },
    );
    const child = images[1]!.manifest.digest;
    const refused = await ask('DELETE', `/api/v1/images?repository=delete/run&reference=${child}`);
    expect(codeOf(refused)).toBe('409 image-in-use');
    expect(refused.text).toContain('service dev.runner.web runs it');
    expect(refused.text).toContain(`the index ${index.digest} names it`);
    expect(await details('delete/run', child)).toMatchObject({ digest: child });
    const done = await ask('DELETE', '/api/v1/images?repository=delete/run&reference=v1&consent=true');
    expect(done.json).toEqual({ repository: 'delete/run', digest: index.digest, tags: ['v1'] });
    expect(codeOf(await ask('GET', '/api/v1/images/details?repository=delete/run&reference=v1'))).toBe(
      '404 image-not-found',
    );
  });

  it('wants consent for further tags, and not for a digest that has one', async () => {
    const made = image();
    for (const tag of ['v1', 'v2']) await client.pushImage('delete/tags', tag, made);
    const refused = await ask('DELETE', '/api/v1/images?repository=delete/tags&reference=v1');
    expect(refused.text).toContain('the tag v2 would go too');
    const { digest } = made.manifest;
    const done = await ask('DELETE', `/api/v1/images?repository=delete/tags&reference=${digest}`);
    expect(done.json).toMatchObject({ digest, tags: ['v1', 'v2'] });
  });
});

describe('policies', () => {
  it('hold for what the API changes too: immutable tags and quotas', async () => {
    const made = image();
    for (const name of ['policy/fixed', 'policy/source']) await client.pushImage(name, 'v1', made);
    await client.pushImage('policy/source', 'v2', image());
    for (const [name, policy] of Object.entries({
      fixed: { repositories: 'policy/fixed', immutableTags: ['v*'] },
      full: { repositories: 'policy/full', quota: 1000 },
    }))
      expect((await ask('PUT', `/api/v1/registry/policies/${name}`, { json: policy })).status).toBe(200);
    const from = { repository: 'policy/source', reference: 'v2' };
    const moved = await copy(from, { repository: 'policy/fixed', tag: 'v1' });
    expect([codeOf(moved), moved.text]).toEqual(['409 denied', expect.stringContaining('is immutable')]);
    expect((await copy(from, { repository: 'policy/fixed', tag: 'other' })).status).toBe(200);
    const { digest } = made.manifest;
    for (const path of [
      '/api/v1/images/tags?repository=policy/fixed&tag=v1',
      `/api/v1/images?repository=policy/fixed&reference=${digest}&consent=true`,
    ])
      expect(codeOf(await ask('DELETE', path))).toBe('409 denied');
    expect(await digestOf('policy/fixed', 'v1')).toBe(digest);
    const full = await copy(from, { repository: 'policy/full', tag: 'v1' });
    expect([codeOf(full), full.text]).toEqual(['403 denied', expect.stringContaining('quota of 1000 bytes')]);
  });
});

describe('bytes', () => {
  it('are counted once for each digest, as own, shared and garbage', async () => {
    const made = image();
    const extra = image();
    await client.pushImage('du/a', 'v1', made);
    await client.pushImage('du/a', 'v2', made);
    await client.pushImage('du/b', 'v1', made);
    await client.pushImage('du/b', 'v2', extra);
    const lone = testImage([randomBytes(700)]).blobs[1]!;
    await client.pushBlob('du/b', lone);
    const sizeOf = ({ blobs, manifest }: ReturnType<typeof image>) =>
      [...blobs, manifest].reduce((sum, { bytes }) => sum + bytes.length, 0);
    const usage = (await ask('GET', '/api/v1/images/usage')).json as {
      repositories: { repository: string }[];
    };
    expect(usage.repositories.filter(({ repository }) => repository.startsWith('du/'))).toEqual([
      { repository: 'du/a', own: 0, shared: sizeOf(made), garbage: 0, manifests: 1, blobs: 3 },
      {
        repository: 'du/b',
        own: sizeOf(extra) + 700,
        shared: sizeOf(made),
        garbage: 700,
        manifests: 2,
        blobs: 7,
      },
    ]);
    expect((await ask('GET', '/api/v1/images/usage?repository=du/b')).json).toMatchObject({
      total: sizeOf(made) + sizeOf(extra) + 700,
    });
  });
});
