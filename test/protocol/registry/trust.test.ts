import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { Digest, RepositoryName } from '../../../shared/model/image.ts';
import { collectEvidence, evidenceLimits } from '../../../shared/registry/trust/collect-evidence.ts';
import {
  attestation,
  cosignTag,
  messageBundle,
  type SignedLayer,
  signatureManifest,
  simpleSigning,
  statementBundle,
  type TestSigner,
} from '../../support/cosign.ts';
import { type Content, testImage, testIndex } from '../../support/oci-image.ts';
import { type TestSigstore, testSigstore } from '../../support/sigstore.ts';
import { trustWorld } from '../../support/trust-world.ts';

type World = Awaited<ReturnType<typeof trustWorld>>;

const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const byKey: TestSigner = { key: pair.privateKey };
const identity = 'builder@example.com';
const issuer = 'https://accounts.example.com';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SIGNATURE = 'application/vnd.dev.cosign.artifact.sig.v1+json';
const SBOM = 'https://spdx.dev/Document';

let sigstore: TestSigstore;
let keyless: TestSigner;
beforeAll(async () => {
  sigstore = await testSigstore();
  keyless = { sigstore, certificate: await sigstore.certificate({ identity, issuer }) };
});

const image = () => testImage([randomBytes(100)]);
const push = async (
  { client }: World,
  layers: readonly SignedLayer[],
  place: { tag: string } | { subject: Content; artifactType?: string },
): Promise<void> => {
  const { manifest, blobs } = signatureManifest(layers, 'tag' in place ? {} : place);
  for (const blob of blobs) await client.pushBlob('shop/web', blob);
  const reference = 'tag' in place ? place.tag : manifest.digest;
  const { status } = await client.pushManifest('shop/web', reference, manifest);
  if (status !== 201) throw new Error(`the signature's push answered ${status}`);
};

/** Each way in which a signature comes to lie in a registry. */
const ways: [string, (world: World, manifest: Content, signer: TestSigner) => Promise<void>][] = [
  [
    'under the tag that cosign 2 gives it',
    (world, { digest, bytes }, signer) =>
      push(world, [simpleSigning(digest, signer)], { tag: cosignTag(bytes, 'sig') }),
  ],
  [
    'as a referrer of cosign 2',
    (world, subject, signer) =>
      push(world, [simpleSigning(subject.digest, signer)], { subject, artifactType: SIGNATURE }),
  ],
  [
    'as a bundle with a statement, as cosign 3 pushes it',
    (world, subject, signer) =>
      push(world, [statementBundle(subject.digest, signer)], { subject, artifactType: BUNDLE }),
  ],
  [
    'as a bundle over the manifest',
    (world, subject, signer) =>
      push(world, [messageBundle(subject.bytes, signer)], { subject, artifactType: BUNDLE }),
  ],
];

describe.each(ways)('an image signed %s', (_way, sign) => {
  it.each([
    ['by a key', () => byKey, () => ({ publicKey })],
    ['without a key', () => keyless, () => ({ identity, issuer, trustedRoot: sigstore.trustedRoot })],
  ])('is rolled out %s once the signature is there, not before', async (_how, signer, signedBy) => {
    const world = await trustWorld();
    await world.demand({ signedBy: [signedBy()] });
    await world.deploy('shop/web:1');
    const { manifest, blobs } = image();
    await world.client.pushImage('shop/web', '1', { manifest, blobs });
    expect(await world.settle()).toBe(0);
    expect(await world.service()).toMatchObject({
      rollout: { state: 'waiting-for-image' },
      refused: { digest: manifest.digest, reasons: [expect.stringContaining('none was found')] },
    });
    // By somebody else first: that is told, and changes nothing else.
    await sign(world, manifest, { key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey });
    expect(await world.settle()).toBe(0);
    expect((await world.service())?.refused?.reasons[0]).not.toContain('none was found');
    await sign(world, manifest, signer());
    expect(await world.settle()).toBe(1);
    expect(await world.service()).toMatchObject({ accepted: { digest: manifest.digest } });
    expect((await world.service())?.refused).toBeUndefined();
  });
});

it('attestations are found under their tag and as referrers, and asked for with the signature', async () => {
  const world = await trustWorld();
  await world.demand({ signedBy: [{ publicKey }], attestations: ['sbom', 'provenance'] });
  await world.deploy('shop/web:1');
  const { manifest, blobs } = image();
  await world.client.pushImage('shop/web', '1', { manifest, blobs });
  await push(world, [simpleSigning(manifest.digest, byKey)], { tag: cosignTag(manifest.bytes, 'sig') });
  await push(world, [attestation(manifest.digest, SBOM, byKey)], { tag: cosignTag(manifest.bytes, 'att') });
  expect(await world.settle()).toBe(0);
  expect((await world.service())?.refused?.reasons).toMatchObject([
    expect.stringContaining('an attestation "provenance"'),
  ]);
  const provenance = statementBundle(manifest.digest, byKey, 'https://slsa.dev/provenance/v1');
  await push(world, [provenance], { subject: manifest, artifactType: BUNDLE });
  expect(await world.settle()).toBe(1);
});

it('an index counts by its own signature: that of a manifest in it is not enough', async () => {
  const world = await trustWorld();
  await world.demand({ signedBy: [{ publicKey }] });
  await world.deploy('shop/web:1');
  const child = image();
  await world.client.pushImage('shop/web', child.manifest.digest, child);
  const index = testIndex([child]);
  await world.client.pushManifest('shop/web', '1', index);
  const bundle = (of: Content) => [statementBundle(of.digest, byKey)];
  await push(world, bundle(child.manifest), { subject: child.manifest, artifactType: BUNDLE });
  expect(await world.settle()).toBe(0);
  await push(world, bundle(index), { subject: index, artifactType: BUNDLE });
  expect(await world.settle()).toBe(1);
});

it('rules hold for the environments and repositories that they name', async () => {
  const { demand, trust, client } = await trustWorld();
  await demand({ environments: ['prod'], signedBy: [{ publicKey }] }, 'shop/**');
  const { manifest, blobs } = image();
  await client.pushImage('shop/web', '1', { manifest, blobs });
  await client.pushImage('other/web', '1', { manifest, blobs });
  const ask = async (repository: string, environment: string) =>
    (await trust.judge(RepositoryName.parse(repository), Digest.parse(manifest.digest), environment as never))
      .verdict;
  expect(await ask('shop/web', 'prod')).toBe('refused');
  expect(await ask('shop/web', 'dev')).toBe('accepted');
  expect(await ask('other/web', 'prod')).toBe('accepted');
});

describe('what a hostile pusher can do', () => {
  const subjectOf = ({ digest, bytes }: Content) => ({ digest: Digest.parse(digest), manifest: bytes });
  const repository = RepositoryName.parse('shop/web');

  it('is bounded in manifests, documents and bytes, and what was not read is told', async () => {
    const world = await trustWorld();
    const { manifest, blobs } = image();
    await world.client.pushImage('shop/web', '1', { manifest, blobs });
    const many = Array.from({ length: 6 }, (_, index) =>
      statementBundle(manifest.digest, byKey, SBOM, { padding: `${index}`.padEnd(2000, 'x') }),
    );
    for (const layer of many.slice(0, 3))
      await push(world, [layer], { subject: manifest, artifactType: BUNDLE });
    await push(world, many, { tag: cosignTag(manifest.bytes, 'sig') });
    const read = (limits: Partial<typeof evidenceLimits>) =>
      collectEvidence(world, repository, subjectOf(manifest), { ...evidenceLimits, ...limits });
    expect(await read({})).toMatchObject({ unread: [], evidence: { length: 9 } });
    expect(await read({ manifests: 2 })).toMatchObject({
      evidence: { length: 7 },
      unread: [expect.stringContaining('Only 2 manifests')],
    });
    expect(await read({ documents: 4 })).toMatchObject({
      evidence: { length: 4 },
      unread: [expect.stringContaining('Only 4 signatures')],
    });
    expect(await read({ referrers: 1 })).toMatchObject({
      evidence: { length: 7 },
      unread: [expect.stringContaining('Only 1 of the manifests')],
    });
    const tooLarge = { fault: expect.stringContaining('too large') };
    expect((await read({ size: 1000 })).evidence).toEqual(
      Array.from({ length: 9 }, () => expect.objectContaining(tooLarge)),
    );
    const some = (await read({ total: 10_000 })).evidence;
    expect(some.filter((one) => 'fault' in one).length).toBeGreaterThan(5);
    expect(some.some((one) => !('fault' in one))).toBe(true);
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    ['an empty object', Buffer.from('{}')],
    ['null', Buffer.from('null')],
    ['deep nesting', Buffer.from('['.repeat(100_000) + ']'.repeat(100_000))],
    ['bytes that are no text', randomBytes(500)],
  ])('%s is no evidence, in any form, and no failure', async (_what, bytes) => {
    const world = await trustWorld();
    await world.demand({ signedBy: [{ publicKey }] });
    const { manifest, blobs } = image();
    await world.client.pushImage('shop/web', '1', { manifest, blobs });
    const annotations = {
      'dev.cosignproject.cosign/signature': 'AAAA',
      'dev.sigstore.cosign/certificate': 'x',
      'dev.sigstore.cosign/bundle': '{"Payload":7}',
    };
    for (const of of [simpleSigning, statementBundle]) {
      const { layer } = of(manifest.digest, byKey);
      const { mediaType } = layer;
      const { digest } = testImage([bytes]).blobs[1] as Content;
      await push(world, [{ layer: { mediaType, digest, bytes }, annotations }], {
        subject: manifest,
        artifactType: BUNDLE,
      });
    }
    expect(await world.trust.judge(repository, Digest.parse(manifest.digest), 'dev' as never)).toMatchObject({
      verdict: 'refused',
      reasons: [expect.stringContaining('it cannot be read')],
    });
  });
});
