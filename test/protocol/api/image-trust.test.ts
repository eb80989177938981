import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageVerification } from '../../../shared/api/routes/image-trust.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';
import {
  attestation,
  cosignTag,
  signatureManifest,
  simpleSigning,
  statementBundle,
} from '../../support/cosign.ts';
import { type TestImage, testImage } from '../../support/oci-image.ts';
import { registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { testSigstore } from '../../support/sigstore.ts';

const execute = promisify(execFile);
const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const identity = 'https://ci.example.com/shop/web';
const issuer = 'https://ci.example.com';
const SBOM = 'https://spdx.dev/Document';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
let image: TestImage;
let folder: string;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
  folder = await mkdtemp(join(tmpdir(), 'test-verify-'));
  const { blobs, tables } = world.server.services.registry;
  const { handle } = await testRegistry({ blobs, tables });
  const client = registryClient(handle, 'operator');
  const sigstore = await testSigstore();
  const certificate = await sigstore.certificate({ identity, issuer });
  image = testImage([Buffer.from('a layer')]);
  await client.pushImage('shop/web', '1', image);
  await client.pushImage('shop/web', 'unsigned', testImage([Buffer.from('another')]));
  const { digest, bytes } = image.manifest;
  for (const [layer, reference] of [
    [simpleSigning(digest, { key: pair.privateKey }), cosignTag(bytes, 'sig')],
    [attestation(digest, SBOM, { key: other.privateKey }), cosignTag(bytes, 'att')],
    [statementBundle(digest, { sigstore, certificate }), undefined],
  ] as const) {
    const made = signatureManifest([layer], {
      ...(reference === undefined ? { subject: image.manifest, artifactType: layer.layer.mediaType } : {}),
    });
    for (const blob of made.blobs) await client.pushBlob('shop/web', blob);
    await client.pushManifest('shop/web', reference ?? made.manifest.digest, made.manifest);
  }
  await writeFile(join(folder, 'cosign.pub'), publicKey);
  await writeFile(join(folder, 'root.json'), JSON.stringify(sigstore.trustedRoot));
  await writeFile(join(folder, 'ca.pem'), world.server.ca);
});
afterAll(async () => {
  await world?.server.close();
  await rm(folder, { recursive: true, force: true });
});

const verify = async (more: object = {}) =>
  ask('POST', '/api/v1/images/verification', {
    json: { repository: 'shop/web', reference: '1', environment: 'dev', ...more },
  });
const answer = async (more?: object) => (await verify(more)).json as ImageVerification;

describe('POST /api/v1/images/verification', () => {
  it('tells what was found where nothing is demanded', async () => {
    expect(await answer()).toMatchObject({
      digest: image.manifest.digest,
      rules: 0,
      verdict: 'accepted',
      reasons: [],
      findings: [
        { form: 'cosign signature', tag: expect.stringContaining('.sig'), kind: 'signature', by: [] },
        { form: 'cosign attestation', kind: 'attestation', predicateType: SBOM, by: [] },
        { form: 'Sigstore bundle', kind: 'signature', by: [] },
      ],
    });
  });

  it('asks the policies of the environment, or the rules that it is given', async () => {
    const policy = {
      repositories: 'shop/**',
      trust: [{ environments: ['prod'], signedBy: [{ publicKey }], attestations: ['sbom'] }],
    };
    expect((await ask('PUT', '/api/v1/registry/policies/shop', { json: policy })).status).toBe(200);
    expect(await answer()).toMatchObject({ rules: 0 });
    expect(await answer({ environment: 'prod' })).toMatchObject({
      rules: 1,
      verdict: 'refused',
      reasons: [expect.stringMatching(/^It needs an attestation "sbom" by the key .*not by this key/)],
      findings: [{ by: [{ signer: expect.stringMatching(/^the key/) }] }, {}, {}],
    });
    expect(await answer({ environment: 'prod', rules: [{ signedBy: [{ publicKey }] }] })).toMatchObject({
      verdict: 'accepted',
    });
    expect((await ask('DELETE', '/api/v1/registry/policies/shop')).status).toBe(204);
  });

  it('says what is wrong with rules, and with images that are not there', async () => {
    const bad = await verify({ rules: [{ signedBy: [{ publicKey: 'x' }] }] });
    expect([bad.status, bad.text]).toEqual([400, expect.stringContaining('expected a public key as PEM')]);
    expect(await verify({ reference: 'gone' })).toMatchObject({ status: 404 });
  });
});

describe('berth images verify', () => {
  const berth = async (...args: string[]) => {
    const env = {
      PATH: process.env.PATH ?? '',
      NO_COLOR: '1',
      BERTH_URL: world.server.url,
      BERTH_KEY: world.server.adminKey,
      BERTH_CA: join(folder, 'ca.pem'),
    };
    const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
    return execute(process.execPath, [main, 'images', 'verify', ...args], { env, cwd: folder }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  };

  it('prints what counts, for a key', async () => {
    const { code, stdout } = await berth('shop/web:1', '--key', 'cosign.pub');
    expect(stdout).toMatch(/accepted: the rule is fulfilled/);
    expect(stdout).toMatch(/cosign signature \(tag\) .* yes/);
    expect(stdout).toMatch(/Sigstore bundle .* no: the signature is not by this key/);
    expect(code).toBe(0);
  });

  it('sends no private key, and says what is missing: a signature, or an attestation', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(folder, 'mine.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(join(folder, 'mine.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const secret = await berth('shop/web:1', '--key', 'mine.key');
    expect([secret.code, secret.stderr]).toEqual([
      2,
      expect.stringContaining('is a private key, and was not sent'),
    ]);
    expect((await berth('shop/web:1', '--key', 'mine.pub')).stderr).toContain('Sign it: cosign sign ');
    const attested = await berth(
      'shop/web:1',
      '--key',
      'cosign.pub',
      '--attestation',
      'https://example.com/none',
    );
    expect([attested.code, attested.stderr]).toEqual([
      1,
      expect.stringContaining('Attest it: cosign attest '),
    ]);
  });

  it('prints what counts, for an identity of an instance of its own', async () => {
    const mine = ['--issuer', issuer, '--trusted-root', 'root.json'];
    const [exact, pattern, another, elsewhere] = await Promise.all([
      berth('shop/web:1', '--identity', identity, ...mine),
      berth('shop/web:1', '--identity-pattern', 'https://ci.example.com/*/web', ...mine),
      berth('shop/web:1', '--identity', 'else@example.com', ...mine),
      // Sigstore's public instance knows nothing of it.
      berth('shop/web:1', '--identity', identity, '--issuer', issuer),
    ]);
    expect([exact.code, pattern.code, another.code, elsewhere.code]).toEqual([0, 0, 1, 1]);
    expect(another.stderr).toContain(`its certificate is of ${identity}, by issuer ${issuer}`);
  });

  it('ends with 1 and the reasons if it is refused, as JSON too', async () => {
    const { code, stdout, stderr } = await berth('shop/web:unsigned', '--key', 'cosign.pub');
    expect(code).toBe(1);
    expect(stdout).toContain('No signature and no attestation refers to it.');
    expect(stderr).toMatch(
      /^berth: It needs a signature by the key [0-9a-f]{16}: none was found\.\n {2}→ Sign it: cosign sign/,
    );
    const json = await berth('shop/web:1', '--key', 'cosign.pub', '--attestation', 'provenance', '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ verdict: 'refused' });
    expect(JSON.parse(json.stderr)).toMatchObject({ code: 'image-refused' });
  });

  it('says what is wrong with what it is given', async () => {
    const cases: [string[], string][] = [
      [['--attestation', 'sbom'], 'Whose signature counts is not said.'],
      [['--key', 'none.pub'], 'none.pub cannot be read'],
      [['--key', 'root.json'], 'expected a public key as PEM'],
      [['--issuer', 'https://a.b'], 'expected either identity or identityPattern'],
    ];
    const ended = await Promise.all(cases.map(([args]) => berth('shop/web:1', ...args)));
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(
      cases.map(([, words]) => [2, expect.stringContaining(words)]),
    );
  });
});
