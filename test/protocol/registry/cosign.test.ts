import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testImage, testIndex } from '../../support/oci-image.ts';
import { serveHandler } from '../../support/registry-server.ts';
import { hasProgram, run } from '../../support/tool.ts';
import { trustWorld } from '../../support/trust-world.ts';

/** Either version 2 or version 3: `go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3`, and the PATH has it. */
describe.skipIf(!hasProgram('cosign'))('cosign (needs the program)', () => {
  let world: Awaited<ReturnType<typeof trustWorld>>;
  let server: Awaited<ReturnType<typeof serveHandler>>;
  let directory: string;
  let offline: string[];
  beforeAll(async () => {
    world = await trustWorld();
    server = await serveHandler(world.handle);
    directory = await mkdtemp(join(tmpdir(), 'test-cosign-'));
    const auth = Buffer.from('x:operator-key').toString('base64');
    await writeFile(join(directory, 'config.json'), JSON.stringify({ auths: { [server.host]: { auth } } }));
    const version = await cosign('version', '--json');
    offline = JSON.parse(version).gitVersion.startsWith('v3')
      ? ['--tlog-upload=false', '--use-signing-config=false']
      : ['--tlog-upload=false'];
    for (const name of ['ours', 'theirs'])
      await cosign('generate-key-pair', '--output-key-prefix', join(directory, name));
    const publicKey = readFileSync(join(directory, 'ours.pub'), 'utf8');
    await world.demand({ signedBy: [{ publicKey }], attestations: ['sbom'] }, 'shop/attested');
    await world.demand({ signedBy: [{ publicKey }] }, 'shop/web');
  });
  afterAll(async () => {
    await server?.close();
    await rm(directory, { recursive: true, force: true });
  });
  const cosign = (...args: string[]) =>
    run('cosign', args, { COSIGN_PASSWORD: '', DOCKER_CONFIG: directory, COSIGN_EXPERIMENTAL: '1' });
  const push = async (repository: string) => {
    const image = testImage([Buffer.from(`${repository} ${Math.random()}`)]);
    await world.client.pushImage(repository, '1', image);
    return `${server.host}/${repository}@${image.manifest.digest}`;
  };
  const sign = (key: string, image: string, ...more: string[]) =>
    cosign('sign', '--yes', '--key', join(directory, `${key}.key`), ...offline, ...more, image);

  it.each([
    ['as it signs by default', []],
    ['as referrers of OCI 1.1', ['--registry-referrers-mode=oci-1-1']],
    ['in the way of version 2', ['--new-bundle-format=false']],
    ['as bundles', ['--new-bundle-format']],
  ])('what it signs, %s, rolls out, by the key that is asked for', async (_how, more) => {
    await world.deploy('shop/web:1');
    const image = await push('shop/web');
    expect(await world.settle()).toBe(0);
    await sign('theirs', image, ...more);
    expect(await world.settle()).toBe(0);
    expect((await world.service())?.refused?.reasons).toMatchObject([
      expect.stringContaining('the signature is not by this key'),
    ]);
    await sign('ours', image, ...more);
    expect(await world.settle()).toBe(1);
  });

  it.each([
    ['ECDSA on P-384', generateKeyPairSync('ec', { namedCurve: 'secp384r1' })],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ])('its keys may be %s', async (name, pair) => {
    const file = join(directory, name.replace(/\W/g, '').toLowerCase());
    await writeFile(`${file}.pem`, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await cosign('import-key-pair', '--key', `${file}.pem`, '--output-key-prefix', file);
    await world.demand({ signedBy: [{ publicKey: readFileSync(`${file}.pub`, 'utf8') }] }, 'shop/keys');
    for (const bundle of [true, false]) {
      await world.deploy('shop/keys:1');
      const image = await push('shop/keys');
      expect(await world.settle()).toBe(0);
      const more = [`--new-bundle-format=${bundle}`];
      await cosign('sign', '--yes', '--key', `${file}.key`, ...offline, ...more, image);
      expect([more, await world.settle()]).toEqual([more, 1]);
    }
  });

  it('what it attests counts beside its signature', async () => {
    await world.deploy('shop/attested:1');
    const image = await push('shop/attested');
    await sign('ours', image);
    expect(await world.settle()).toBe(0);
    const predicate = join(directory, 'sbom.json');
    await writeFile(predicate, JSON.stringify({ spdxVersion: 'SPDX-2.3', name: 'an example' }));
    await cosign(
      ...['attest', '--yes', '--key', join(directory, 'ours.key'), ...offline],
      ...['--type', 'spdxjson', '--predicate', predicate, image],
    );
    expect(await world.settle()).toBe(1);
  });

  it('signs an index and all in it, of which the index counts', async () => {
    await world.deploy('shop/web:1');
    const child = testImage([Buffer.from('a child')]);
    await world.client.pushImage('shop/web', child.manifest.digest, child);
    const index = testIndex([child]);
    await world.client.pushManifest('shop/web', '1', index);
    expect(await world.settle()).toBe(0);
    await sign('ours', `${server.host}/shop/web@${index.digest}`, '--recursive');
    expect(await world.settle()).toBe(1);
  });
});
