import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Digest, RepositoryName, Tag } from '../../../shared/model/image.ts';
import { PolicyName, SourceName } from '../../../shared/model/names.ts';
import { NamePattern } from '../../../shared/model/pattern.ts';
import type { RegistryCredential } from '../../../shared/model/registry-address.ts';
import { policyStore } from '../../../shared/registry/policy/policy-store.ts';
import { checks } from '../../../shared/registry/sources/checks.ts';
import { takeLease } from '../../../shared/registry/sources/fetch-lease.ts';
import { mirror } from '../../../shared/registry/sources/mirror.ts';
import { mirroredEvidence } from '../../../shared/registry/sources/mirrored-evidence.ts';
import { SourceSettings } from '../../../shared/registry/sources/source.ts';
import { sourceStore } from '../../../shared/registry/sources/source-store.ts';
import { imageTrust } from '../../../shared/registry/trust/image-trust.ts';
import { TrustRule } from '../../../shared/registry/trust/trust-rule.ts';
import { Secret } from '../../../shared/secrets/secret.ts';
import { blobSecrets } from '../../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import {
  cosignTag,
  type SignedLayer,
  signatureManifest,
  simpleSigning,
  statementBundle,
} from '../../support/cosign.ts';
import { crashingStorage } from '../../support/crashing-storage.ts';
import { type Content, sha256, type TestImage, testImage, testIndex } from '../../support/oci-image.ts';
import { type OtherRegistry, otherRegistry } from '../../support/other-registry.ts';
import { type RegistryClient, registryClient } from '../../support/registry-client.ts';
import { type TestRegistry, testRegistry } from '../../support/registry-server.ts';
import { inconsistencies } from '../../support/registry-state.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** The registry that is mirrored. */
let other: OtherRegistry;

/** Ours: as many processes as a test wants over one storage, with a clock of its own. */
let storage: { blobs: ReturnType<typeof memoryBlobs>; tables: ReturnType<typeof memoryTables> };
let sources: ReturnType<typeof sourceStore>;
let time: number;
const now = () => new Date(time);
const minutes = (count: number) => {
  time += count * 60_000;
};

async function process(): Promise<TestRegistry & { client: RegistryClient }> {
  const registry = await testRegistry(storage, { now, mirror: mirror(sources, checks(storage.tables)) });
  return { ...registry, client: registryClient(registry.handle, 'admin') };
}

beforeEach(async () => {
  time = Date.now();
  other = await otherRegistry();
  undo.push(other.close);
  storage = { blobs: memoryBlobs(), tables: memoryTables() };
  const secrets = blobSecrets(memoryBlobs(), {
    current: new Secret(randomBytes(32).toString('base64')),
    previous: undefined,
  });
  sources = sourceStore(storage.tables, secrets, now);
  await put({});
});

const put = (
  settings: object,
  credential: RegistryCredential | null = { username: 'x', password: 'reader-key' },
) =>
  sources.put(
    SourceName.parse('hub'),
    SourceSettings.parse({
      prefix: 'hub',
      upstream: { url: `http://${other.host}`, plainHttp: true },
      freshness: 10,
      ...settings,
    }),
    credential,
  );

const image = (size = 100_000) => testImage([randomBytes(size), randomBytes(10)]);
const layerOf = ({ blobs: [, layer] }: TestImage) => {
  if (layer === undefined) throw new Error('an image has layers');
  return layer;
};
const read = (client: RegistryClient, reference: string, repository = 'hub/team/app', method = 'GET') =>
  client.request(method, `/v2/${repository}/manifests/${reference}`);
const readBlob = (client: RegistryClient, digest: string, repository = 'hub/team/app') =>
  client.request('GET', `/v2/${repository}/blobs/${digest}`);
const errorOf = async (response: Response) => ({
  status: response.status,
  ...((await response.json()) as { errors: { code: string; message: string }[] }).errors[0],
});
/** Without the attempts that only bring a challenge. */
const questions = (word: string) => new Set(other.asked.filter((line) => line.includes(word))).size;
const stored = async (prefix: string): Promise<string[]> =>
  (await Array.fromAsync(storage.blobs.list(prefix))).map(({ name }) => name);

describe('a pull', () => {
  test('brings an index, the image and its blobs, byte for byte, as each is asked for', async () => {
    const [one, two] = [image(), image()];
    for (const [tag, made] of [
      ['one', one],
      ['two', two],
    ] as const)
      await other.client.pushImage('team/app', tag, made);
    const index = testIndex([one, two]);
    await other.client.pushManifest('team/app', 'v1', index);
    const ours = await process();

    const head = await read(ours.client, 'v1', 'hub/team/app', 'HEAD');
    expect(head.headers.get('docker-content-digest')).toBe(index.digest);
    expect(head.headers.get('content-type')).toBe(index.mediaType);
    const got = await read(ours.client, 'v1');
    expect(Buffer.from(await got.arrayBuffer())).toEqual(Buffer.from(index.bytes));
    expect(await stored('data/')).toEqual([]);

    const child = await read(ours.client, one.manifest.digest);
    expect(Buffer.from(await child.arrayBuffer())).toEqual(Buffer.from(one.manifest.bytes));
    for (const blob of one.blobs) {
      const answer = await readBlob(ours.client, blob.digest);
      // Large ones are redirected to storage.
      expect(answer.status).toBe(blob.bytes.length > 64 * 1024 ? 307 : 200);
    }
    expect(await stored('data/')).toHaveLength(one.blobs.length);
    // The other platform's image was not fetched.
    expect(other.asked.join()).not.toContain(two.manifest.digest);
    expect(ours.events.map(({ data }) => data)).toMatchObject([
      { repository: 'hub/team/app', tag: 'v1', digest: index.digest, origin: { actor: 'source/hub' } },
    ]);
    expect(ours.reports).toEqual([]);
  });

  test('a fresh tag costs nothing, a stale one a HEAD, a moved one a manifest and an event', async () => {
    const [first, second] = [image(), image()];
    await other.client.pushImage('team/app', 'v1', first);
    const ours = await process();
    await read(ours.client, 'v1');
    other.asked.length = 0;
    await read(ours.client, 'v1');
    expect(other.asked).toEqual([]);

    minutes(11);
    await read(ours.client, 'v1');
    expect([...new Set(other.asked)]).toEqual(['HEAD team/app/manifests/v1']);

    await other.client.pushImage('team/app', 'v1', second);
    minutes(11);
    const moved = await read(ours.client, 'v1');
    expect(moved.headers.get('docker-content-digest')).toBe(second.manifest.digest);
    expect(ours.events.map(({ data }) => (data as { digest: string }).digest)).toEqual([
      first.manifest.digest,
      second.manifest.digest,
    ]);
    // Back to what we have: no manifest is read.
    await other.client.pushManifest('team/app', 'v1', first.manifest);
    minutes(11);
    other.asked.length = 0;
    expect((await read(ours.client, 'v1')).headers.get('docker-content-digest')).toBe(first.manifest.digest);
    expect([...new Set(other.asked)]).toEqual(['HEAD team/app/manifests/v1']);
  });

  test('a path and Docker-like names lead to the right place, and a pattern shuts others out', async () => {
    await other.client.pushImage('team/app', 'v1', image());
    await put({ path: 'team', allow: ['team/a*'] });
    const ours = await process();
    expect((await read(ours.client, 'v1', 'hub/app')).status).toBe(200);
    expect(await errorOf(await read(ours.client, 'v1', 'hub/other'))).toMatchObject({
      status: 403,
      code: 'DENIED',
    });
    // What is not below the prefix is no copy.
    expect(await errorOf(await read(ours.client, 'v1', 'hub'))).toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    expect(questions('other')).toBe(0);
  });

  test('content that we have is not fetched again, but only for who may have it', async () => {
    const made = image();
    await other.client.pushImage('team/app', 'v1', made);
    const ours = await process();
    await ours.client.pushImage('own/app', 'v1', made);
    const secret = image();
    await ours.client.pushImage('own/secret', 'v1', secret);
    expect((await readBlob(ours.client, layerOf(made).digest)).status).toBe(307);
    expect(await stored('data/')).toHaveLength(made.blobs.length + secret.blobs.length);
    // Its digest is known; upstream does not have it.
    expect(await errorOf(await readBlob(ours.client, layerOf(secret).digest))).toMatchObject({
      status: 404,
      code: 'BLOB_UNKNOWN',
    });
  });
});

test('pushes, uploads and mounts into a copy are refused, a deletion is not', async () => {
  const made = image();
  await other.client.pushImage('team/app', 'v1', made);
  const ours = await process();
  await read(ours.client, 'v1');
  const attempts = [
    await ours.client.pushManifest('hub/team/app', 'v2', made.manifest),
    await ours.client.pushBlob('hub/team/app', layerOf(made)),
    await ours.client.request(
      'POST',
      `/v2/hub/team/app/blobs/uploads/?mount=${layerOf(made).digest}&from=own/app`,
    ),
  ];
  for (const answer of attempts)
    expect(await errorOf(answer)).toMatchObject({
      status: 403,
      code: 'DENIED',
      message: expect.stringContaining('source hub'),
    });
  const gone = await ours.client.request('DELETE', `/v2/hub/team/app/manifests/${made.manifest.digest}`);
  expect(gone.status).toBe(202);
});

describe('when upstream fails', () => {
  const failures: [string, () => Response | Promise<Response>, number, string][] = [
    ['is down', () => new Response('bad gateway', { status: 502 }), 503, 'UNAVAILABLE'],
    [
      'limits us',
      () => new Response(null, { status: 429, headers: { 'retry-after': '77' } }),
      429,
      'TOOMANYREQUESTS',
    ],
    ['refuses us', () => new Response(null, { status: 403 }), 403, 'DENIED'],
    ['has lost it', () => new Response(null, { status: 404 }), 404, 'MANIFEST_UNKNOWN'],
    [
      'answers a page',
      () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      502,
      'UNKNOWN',
    ],
  ];
  test.each(failures)(
    'because it %s, what there is is served, with a warning, and what is not there has a reason',
    async (_why, answer, status, code) => {
      const made = image();
      await other.client.pushImage('team/app', 'v1', made);
      const ours = await process();
      await read(ours.client, 'v1');
      other.fault = answer;
      minutes(11);
      const stale = await read(ours.client, 'v1');
      expect(stale.status).toBe(200);
      expect(stale.headers.get('docker-content-digest')).toBe(made.manifest.digest);
      expect(stale.headers.get('warning')).toMatch(/^299 - "the copy of 20.* is served: .*"$/);
      const refused = await read(ours.client, 'other');
      if (status === 429) expect(refused.headers.get('retry-after')).toBe('77');
      expect(await errorOf(refused)).toMatchObject({ status, code });
      // Back again: after a while it is asked anew.
      other.fault = undefined;
      minutes(3);
      const fresh = await read(ours.client, 'v1');
      expect(fresh.headers.get('warning')).toBeNull();
      expect(ours.reports).toEqual([]);
    },
  );

  test('a down registry is spared for a while, so that pulls of what there is do not wait for it', async () => {
    await other.client.pushImage('team/app', 'v1', image());
    const ours = await process();
    await read(ours.client, 'v1');
    minutes(11);
    other.fault = () => new Response(null, { status: 503 });
    other.asked.length = 0;
    for (let pull = 0; pull < 5; pull += 1) expect((await read(ours.client, 'v1')).status).toBe(200);
    expect(other.asked).toHaveLength(1);
  });

  test('a lying one leaves nothing behind', async () => {
    const made = image();
    await other.client.pushImage('team/app', 'v1', made);
    const ours = await process();
    await read(ours.client, 'v1');
    other.fault = ({ url }) =>
      url.includes('/blobs/') ? new Response(randomBytes(layerOf(made).bytes.length)) : undefined;
    expect(await errorOf(await readBlob(ours.client, layerOf(made).digest))).toMatchObject({ status: 502 });
    expect(await stored('blobs/')).toEqual([]);
    expect(await stored('data/')).toEqual([]);
    expect(await stored('uploads/')).toEqual([]);
    const lie = image();
    other.fault = ({ url }) =>
      url.includes('/manifests/sha256')
        ? new Response(lie.manifest.bytes as Uint8Array<ArrayBuffer>, {
            headers: { 'content-type': lie.manifest.mediaType },
          })
        : undefined;
    expect(await errorOf(await read(ours.client, sha256('asked for')))).toMatchObject({ status: 502 });
    expect(await stored('manifests/')).toHaveLength(1);
    other.fault = undefined;
    expect((await readBlob(ours.client, layerOf(made).digest)).status).toBe(307);
  });
});

describe('single flight', () => {
  test('twenty pulls at once, in one process and in two, fetch each thing once', async () => {
    const made = image(2_000_000);
    await other.client.pushImage('team/app', 'v1', made);
    const [one, two] = [await process(), await process()];
    await Promise.all(Array.from({ length: 20 }, () => read(one.client, 'v1')));
    // Each with the challenge before it.
    expect(
      other.asked.filter((line) => line === `GET team/app/manifests/${made.manifest.digest}`),
    ).toHaveLength(1);
    other.asked.length = 0;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        readBlob((number % 2 ? one : two).client, layerOf(made).digest),
      ),
    );
    for (const answer of answers) expect(answer.status).toBe(307);
    expect(await stored('data/')).toHaveLength(1);
    expect(await stored('uploads/')).toEqual([]);
    // The second process asks whether upstream has it too, and reads nothing of it.
    const whole = other.asked.filter((line) => line === `GET team/app/blobs/${layerOf(made).digest}`);
    expect(whole.length).toBeLessThanOrEqual(4);
  });

  test('a process that died while it fetched holds others up only until its lease is over', async () => {
    const made = image();
    await other.client.pushImage('team/app', 'v1', made);
    const digest = Digest.parse(layerOf(made).digest);
    const dead = await takeLease(storage.blobs, digest, now);
    expect(dead).toBeDefined();
    expect(await takeLease(storage.blobs, digest, now)).toBeUndefined();
    const ours = await process();
    await read(ours.client, 'v1');
    let done = false;
    const waiting = readBlob(ours.client, digest).finally(() => {
      done = true;
    });
    await read(ours.client, 'v1');
    expect(done).toBe(false);
    minutes(1);
    expect((await waiting).status).toBe(307);
    // What the dead one would do now harms nobody.
    await dead?.release();
    expect(await stored('uploads/')).toEqual([]);
  });
});

test('a refresh says what it found, and leaves a push only if the tag moved', async () => {
  const [first, second] = [image(), image()];
  await other.client.pushImage('team/app', 'v1', first);
  const ours = await process();
  const refresh = () =>
    ours.deps.mirror?.refresh(ours.deps, RepositoryName.parse('hub/team/app'), Tag.parse('v1'));
  expect(await refresh()).toEqual({ outcome: 'moved', digest: first.manifest.digest, before: undefined });
  expect(await refresh()).toEqual({
    outcome: 'unchanged',
    digest: first.manifest.digest,
    before: first.manifest.digest,
  });
  await other.client.pushImage('team/app', 'v1', second);
  expect(await refresh()).toMatchObject({ outcome: 'moved', digest: second.manifest.digest });
  expect(ours.events).toHaveLength(2);
  other.fault = () => new Response(null, { status: 500 });
  await expect(refresh()).rejects.toMatchObject({ code: 'upstream-unreachable' });
  expect(
    await ours.deps.mirror?.refresh(ours.deps, RepositoryName.parse('own/app'), Tag.parse('v1')),
  ).toBeUndefined();
});

test('a credential is sealed, kept by a change without one, and taken away', async () => {
  await other.client.pushImage('team/app', 'v1', image());
  expect(await put({ freshness: 0 }, null)).toMatchObject({ hasCredential: false });
  const ours = await process();
  expect(await errorOf(await read(ours.client, 'v1'))).toMatchObject({ status: 403, code: 'DENIED' });
  await put({ freshness: 0 });
  const changed = await sources.put(
    SourceName.parse('hub'),
    SourceSettings.parse({ prefix: 'hub', upstream: { url: `http://${other.host}`, plainHttp: true } }),
    undefined,
  );
  expect(changed.hasCredential).toBe(true);
  minutes(1);
  expect((await read(ours.client, 'v1')).status).toBe(200);
  for await (const row of storage.tables.list('sources', {}))
    expect(JSON.stringify(row)).not.toContain('reader-key');
});

test('what refers to an image is listed as upstream lists it, and what there is when that is down', async () => {
  const made = image(1_000);
  await other.client.pushImage('team/app', 'v1', made);
  const signature = testImage([randomBytes(5)], {
    fields: { subject: { mediaType: made.manifest.mediaType, digest: made.manifest.digest, size: 1 } },
  });
  await other.client.pushImage('team/app', signature.manifest.digest, signature);
  const ours = await process();
  const referrers = () => ours.client.request('GET', `/v2/hub/team/app/referrers/${made.manifest.digest}`);
  expect(await (await referrers()).json()).toMatchObject({
    manifests: [{ digest: signature.manifest.digest }],
  });
  other.asked.length = 0;
  await referrers();
  expect(other.asked).toEqual([]);
  minutes(11);
  other.fault = () => new Response(null, { status: 503 });
  const stale = await referrers();
  expect(stale.headers.get('warning')).toMatch(/^299 - "the copy of/);
  expect(await stale.json()).toMatchObject({ manifests: [{ digest: signature.manifest.digest }] });
});

test('a tag that is immutable here stays, and is not asked for at every pull', async () => {
  const [first, second] = [image(1_000), image(1_000)];
  await other.client.pushImage('team/app', 'v1', first);
  const ours = await process();
  await read(ours.client, 'v1');
  await policyStore(storage.tables, now).put(PolicyName.parse('fixed'), {
    repositories: NamePattern.parse('hub/**'),
    immutableTags: [NamePattern.parse('v*')],
  });
  await other.client.pushImage('team/app', 'v1', second);
  minutes(11);
  const kept = await read(ours.client, 'v1');
  expect(kept.headers.get('docker-content-digest')).toBe(first.manifest.digest);
  expect(kept.headers.get('warning')).toContain('immutable');
  other.asked.length = 0;
  await read(ours.client, 'v1');
  expect(other.asked).toEqual([]);
  expect(ours.reports).toEqual([]);
});

test('a process that ends before or after any one of its calls of storage while it fetches: the next one has it all', async () => {
  const made = testImage([randomBytes(3_000)]);
  await other.client.pushImage('team/app', 'v1', made);
  const { digest, bytes } = layerOf(made);
  for (const done of [false, true])
    for (let call = 1; ; call += 1) {
      storage = { blobs: memoryBlobs(), tables: memoryTables() };
      const crashing = crashingStorage(storage, { call, done });
      const pull = async (parts: Pick<typeof crashing, 'blobs' | 'tables'>) => {
        const registry = await testRegistry(parts, { now, mirror: mirror(sources, checks(parts.tables)) });
        const client = registryClient(registry.handle, 'admin');
        await read(client, 'v1');
        return readBlob(client, digest);
      };
      // Whatever it still said, nobody heard it.
      await pull(crashing).catch(() => {});
      minutes(1);
      const answer = await pull(storage);
      expect(Buffer.from(await answer.arrayBuffer()), `call ${call}`).toEqual(Buffer.from(bytes));
      expect(await inconsistencies(storage.blobs, storage.tables), `call ${call}`).toEqual([]);
      if (!crashing.crashed()) {
        expect(call).toBeGreaterThan(15);
        break;
      }
    }
});

describe('trust in copies', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const rule = TrustRule.parse({
    signedBy: [{ publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
  });
  const repository = RepositoryName.parse('hub/team/app');
  const verdictOf = async (
    { deps, client }: Awaited<ReturnType<typeof process>>,
    { manifest }: TestImage,
  ) => {
    await read(client, '1');
    const upstream = deps.mirror && mirroredEvidence(deps.mirror, deps);
    const trust = imageTrust({ ...deps, upstream });
    return (await trust.examine(repository, Digest.parse(manifest.digest), [rule])).verdict.verdict;
  };
  const sign = async (layer: SignedLayer, place: { subject: Content } | { tag: string }) => {
    const made = signatureManifest(
      [layer],
      'subject' in place ? { ...place, artifactType: layer.layer.mediaType } : {},
    );
    for (const blob of made.blobs) await other.client.pushBlob('team/app', blob);
    const reference = 'tag' in place ? place.tag : made.manifest.digest;
    await other.client.pushManifest('team/app', reference, made.manifest);
  };

  test('rests on what their registry has: referrers, and tags of cosign, also once it is down', async () => {
    const made = image(1000);
    await other.client.pushImage('team/app', '1', made);
    const ours = await process();
    expect(await verdictOf(ours, made)).toBe('refused');
    await sign(statementBundle(made.manifest.digest, { key: privateKey }), { subject: made.manifest });
    expect(await verdictOf(ours, made)).toBe('accepted');
    await other.close();
    expect(await verdictOf(await process(), made)).toBe('accepted');
  });

  test('finds tags once they are not fresh any more', async () => {
    const made = image(1000);
    await other.client.pushImage('team/app', '1', made);
    const ours = await process();
    expect(await verdictOf(ours, made)).toBe('refused');
    const layer = simpleSigning(made.manifest.digest, { key: privateKey });
    await sign(layer, { tag: cosignTag(made.manifest.bytes, 'sig') });
    minutes(11);
    expect(await verdictOf(ours, made)).toBe('accepted');
  });
});
