import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Activity } from '../../functions/activities/activity.ts';
import { copyBlobActivity } from '../../functions/activities/copy-blob.ts';
import { copyManifestActivity } from '../../functions/activities/copy-manifest.ts';
import { planImportActivity } from '../../functions/activities/plan-import.ts';
import { bring } from '../../functions/orchestrators/import-image.ts';
import type { Services } from '../../functions/services.ts';
import { CloudEvent } from '../../shared/model/cloud-event.ts';
import { type Imported, ImportOrder } from '../../shared/model/image-import.ts';
import { SourceName } from '../../shared/model/names.ts';
import { checks } from '../../shared/registry/sources/checks.ts';
import { mirror } from '../../shared/registry/sources/mirror.ts';
import { SourceSettings } from '../../shared/registry/sources/source.ts';
import { sourceStore } from '../../shared/registry/sources/source-store.ts';
import { Secret } from '../../shared/secrets/secret.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { descriptor, testImage, testIndex } from '../support/oci-image.ts';
import { type OtherRegistry, otherRegistry } from '../support/other-registry.ts';
import { type RegistryClient, registryClient } from '../support/registry-client.ts';
import { type TestRegistry, testRegistry } from '../support/registry-server.ts';
import { type Asked, runOrchestration } from '../support/run-orchestration.ts';

let other: OtherRegistry;
let ours: TestRegistry;
let client: RegistryClient;
let services: Services;
beforeEach(async () => {
  // There is no durable client here: pushes are left to the sweep, and that is said.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  other = await otherRegistry();
  const tables = memoryTables();
  const now = () => new Date();
  const secrets = blobSecrets(memoryBlobs(), {
    current: new Secret(randomBytes(32).toString('base64')),
    previous: undefined,
  });
  const sources = sourceStore(tables, secrets, now);
  await sources.put(
    SourceName.parse('other'),
    SourceSettings.parse({ prefix: 'other', upstream: { url: `http://${other.host}`, plainHttp: true } }),
    { username: 'x', password: 'reader-key' },
  );
  ours = await testRegistry({ blobs: memoryBlobs(), tables });
  client = registryClient(ours.handle, 'admin');
  // Of all services an import needs these.
  services = {
    registry: ours.deps,
    mirror: mirror(sources, checks(tables)),
  } as Partial<Services> as Services;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await other.close();
});

const order = (over: object = {}): ImportOrder =>
  ImportOrder.parse({
    from: { host: other.host, repository: 'lib/app', tag: 'v1' },
    to: { repository: 'team/app', tag: 'v1' },
    referrers: false,
    actor: 'somebody',
    ...over,
  });

const run = (
  input: ImportOrder,
  meanwhile?: (asked: readonly Asked[]) => void,
): Promise<{ output: Imported; asked: readonly Asked[] }> =>
  runOrchestration(bring, input, {
    instanceId: 'import-1',
    activities: [planImportActivity, copyBlobActivity, copyManifestActivity] as unknown as Activity<
      never,
      unknown
    >[],
    services,
    clock: { now: new Date() },
    ...(meanwhile === undefined ? {} : { meanwhile }),
  });

const digestAt = async (reference: string, repository = 'team/app'): Promise<string | null> =>
  (await client.request('HEAD', `/v2/${repository}/manifests/${reference}`)).headers.get(
    'docker-content-digest',
  );
/** Tags of pushes that are to be passed on. */
const pushes = async (): Promise<unknown[]> =>
  (await Array.fromAsync(ours.deps.tables.list('registry', { from: 'e!', to: 'e~' }))).map(
    ({ values }) => CloudEvent.parse(JSON.parse(String(values.json0))).subject,
  );
const image = (fields = {}) => testImage([randomBytes(3_000), randomBytes(70_000)], { fields });

/** An index of two platforms, with a signature of it, and one of its first image in cosign's old way. */
async function published() {
  const images = [image(), image()];
  for (const [number, made] of images.entries())
    await other.client.pushImage('lib/app', `part-${number}`, made);
  const index = testIndex(images);
  await other.client.pushManifest('lib/app', 'v1', index);
  const signature = image({ subject: descriptor(index) });
  await other.client.pushImage('lib/app', 'signature', signature);
  const cosigned = image();
  const tag = `${images[0]?.manifest.digest.replace(':', '-')}.sig`;
  await other.client.pushImage('lib/app', tag, cosigned);
  return { images, index, signature, cosigned, tag };
}

describe('an import', () => {
  test('brings the whole index, byte for byte, as one push of the tag', async () => {
    const { images, index, signature } = await published();
    const { output } = await run(order());
    const bytes = images
      .flatMap(({ blobs }) => blobs)
      .reduce((sum, { bytes: { length } }) => sum + length, 0);
    expect(output).toEqual({ state: 'done', digest: index.digest, fetched: bytes });
    expect(await digestAt('v1')).toBe(index.digest);
    expect(await pushes()).toEqual(['v1']);
    for (const { manifest, blobs } of images) {
      expect(await digestAt(manifest.digest)).toBe(manifest.digest);
      for (const { digest } of blobs)
        expect((await client.request('HEAD', `/v2/team/app/blobs/${digest}`)).status).toBe(200);
    }
    expect(await digestAt(signature.manifest.digest)).toBeNull();
  });

  test('brings signatures and whatever else refers to it, where that is asked for', async () => {
    const { index, signature, cosigned, tag } = await published();
    const { output } = await run(order({ referrers: true }));
    expect(output).toMatchObject({ state: 'done', digest: index.digest });
    const referrers = await client.request('GET', `/v2/team/app/referrers/${index.digest}`);
    expect(await referrers.json()).toMatchObject({ manifests: [{ digest: signature.manifest.digest }] });
    expect(await digestAt(tag)).toBe(cosigned.manifest.digest);
  });

  test('brings one platform, or says which there are', async () => {
    const { images } = await published();
    const { output } = await run(order({ platform: 'linux/arm64' }));
    expect(output).toMatchObject({ state: 'done', digest: images[1]?.manifest.digest });
    expect(await digestAt('v1')).toBe(images[1]?.manifest.digest);
    const missing = await run(order({ platform: 'linux/s390x' }));
    expect(missing.output).toMatchObject({
      state: 'failed',
      code: 'platform-missing',
      reason: expect.stringContaining('linux/amd64, linux/arm64'),
    });
  });

  test('goes on where another stood, and again does nothing', async () => {
    const { index } = await published();
    let asked = 0;
    other.fault = ({ url }) => {
      if (url.includes('/blobs/')) asked += 1;
      return asked > 3 ? new Response(null, { status: 403 }) : undefined;
    };
    expect((await run(order())).output).toMatchObject({ state: 'failed', code: 'upstream-unauthorized' });
    expect(await digestAt('v1')).toBeNull();
    other.fault = undefined;
    other.asked.length = 0;
    const { output } = await run(order());
    expect(output).toMatchObject({ state: 'done', digest: index.digest });
    const fetched = new Set(other.asked.filter((line) => line.includes('/blobs/'))).size;
    expect(fetched).toBeLessThan(6);
    expect((await run(order())).output).toEqual({ state: 'done', digest: index.digest, fetched: 0 });
    expect(await pushes()).toEqual(['v1']);
  });

  test('waits for a registry that limits it', async () => {
    await published();
    let asked = 0;
    other.fault = ({ url }) => {
      if (url.includes('/blobs/')) asked += 1;
      return asked > 0 && asked <= 3 ? new Response(null, { status: 429 }) : undefined;
    };
    expect((await run(order())).output).toMatchObject({ state: 'done' });
  });

  test('that fails at every attempt says why, and not where in our code', () => {
    const context = {
      df: { callActivityWithRetry: () => ({}), setCustomStatus() {}, Task: { all: () => ({}) } },
    } as never;
    const fromHost = (activity: string) =>
      new Error(
        `Activity function '${activity}' failed:  upstream-unreachable: r.example does not answer. \n Error: upstream-unreachable\n    at nameable (file:///app/activity.ts:64:32)`,
      );
    const failed = {
      state: 'failed',
      code: 'activity-failed',
      reason: 'upstream-unreachable: r.example does not answer.',
    };
    const planning = bring(context, order());
    planning.next();
    expect(planning.throw(fromHost('plan-import')).value).toMatchObject(failed);
    const copying = bring(context, order());
    copying.next();
    const { digest } = image().manifest;
    copying.next({ outcome: 'done', value: { digest, blobs: [{ digest, size: 1 }], manifests: [] } });
    expect(copying.throw(fromHost('copy-blob')).value).toMatchObject(failed);
  });

  test.each([
    ['what is not there', { from: { host: '', repository: 'lib/none', tag: 'v1' } }, 'upstream-not-found'],
    [
      'a tag that is not there',
      { from: { host: '', repository: 'lib/app', tag: 'none' } },
      'upstream-not-found',
    ],
  ])('%s is refused with the reason', async (_what, over, code) => {
    await published();
    const { output } = await run(order({ from: { ...over.from, host: other.host } }));
    expect(output).toMatchObject({ state: 'failed', code });
  });

  test('content that is not what its digest says leaves no tag', async () => {
    const { images } = await published();
    const lie = randomBytes(images[0]?.blobs[2]?.bytes.length ?? 0);
    other.fault = ({ url }) =>
      url.includes(images[0]?.blobs[2]?.digest ?? '-') ? new Response(lie) : undefined;
    expect((await run(order())).output).toMatchObject({ state: 'failed', code: 'upstream-answer-invalid' });
    expect(await digestAt('v1')).toBeNull();
  });
});
