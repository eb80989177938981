import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeliverOutcome } from '../../../shared/events/deliver-events.ts';
import { RepositoryName } from '../../../shared/model/image.ts';
import { NamePattern } from '../../../shared/model/pattern.ts';
import { type ReplicationSink, SubscriptionName } from '../../../shared/model/subscription.ts';
import { recorder } from '../../../shared/registry/record.ts';
import { replicationSink } from '../../../shared/registry/replication/sink.replication.ts';
import { queueAll } from '../../../shared/registry/replication/sync.ts';
import { deadEvents } from '../../../shared/registry/subscriptions/dead-letters.ts';
import { deliverWaiting } from '../../../shared/registry/subscriptions/deliver-waiting.ts';
import { subscriptionStore } from '../../../shared/registry/subscriptions/subscription-store.ts';
import { connection } from '../../../shared/registry/upstream/connection.ts';
import { httpUpstream } from '../../../shared/registry/upstream/upstream.http.ts';
import { startDockerRegistry } from '../../support/docker-registry.ts';
import { descriptor, testImage, testIndex } from '../../support/oci-image.ts';
import { type OtherRegistry, otherRegistry } from '../../support/other-registry.ts';
import { hasProgram } from '../../support/tool.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const now = () => new Date();
const repository = RepositoryName.parse('team/app');
const name = SubscriptionName.parse('copy');

/** A registry that replicates `team/**` to where it is told to. */
interface Replicating extends OtherRegistry {
  replicateTo(host: string, more?: Partial<ReplicationSink>): Promise<void>;
  /** Delivers what waits for `team/app`. */
  deliver(): Promise<DeliverOutcome>;
  deadLetters(): Promise<{ lastFailure: string }[]>;
}

async function replicating(): Promise<Replicating> {
  const made = await otherRegistry();
  undo.push(made.close);
  const { deps } = made.registry;
  const { tables, blobs } = deps;
  const subscriptions = subscriptionStore(tables, now);
  // The registry reads its subscriptions through a memory of its own, which would be some seconds old.
  Object.assign(deps, { recorder: recorder(tables, subscriptions, now) });
  const dead = deadEvents(tables);
  return {
    ...made,
    // Accessors do not survive being spread.
    set fault(fault: OtherRegistry['fault']) {
      made.fault = fault;
    },
    async replicateTo(host, more = {}) {
      await subscriptions.put({
        name,
        repositories: [NamePattern.parse('team/**')],
        actions: ['push', 'delete'],
        format: 'cloudevents',
        sink: {
          kind: 'replication',
          registry: { url: `http://${host}`, plainHttp: true },
          deletes: true,
          ...more,
        },
        createdAt: now().toISOString(),
      });
    },
    deliver: () =>
      deliverWaiting(
        {
          tables,
          subscriptions,
          dead,
          now,
          open: async (_name, sink) => {
            if (sink.kind !== 'replication') throw new Error('a replication was expected');
            const credential = { username: 'x', password: 'admin-key' };
            return replicationSink(sink, { blobs, tables, credential, hostname: made.host, now });
          },
        },
        { subscription: name, feed: repository },
      ),
    deadLetters: () => Array.fromAsync(dead.list(name)),
  };
}

let ours: Replicating;
let theirs: Replicating;
beforeEach(async () => {
  ours = await replicating();
  theirs = await replicating();
});

const image = (fields: object = {}) => testImage([randomBytes(100_000), randomBytes(10)], { fields });
const digestAt = async ({ client }: OtherRegistry, reference: string, where: string = repository) =>
  (await client.request('HEAD', `/v2/${where}/manifests/${reference}`)).headers.get('docker-content-digest');
const remove = ({ client }: OtherRegistry, reference: string) =>
  client.request('DELETE', `/v2/${repository}/manifests/${reference}`);
const EMPTY = { outcome: 'empty' };

describe('a push', () => {
  test('of an index is done there too, byte for byte, with its images, and once', async () => {
    await ours.replicateTo(theirs.host, { path: 'mirror' });
    const images = [image(), image()];
    for (const [number, made] of images.entries())
      await ours.client.pushImage(repository, `part-${number}`, made);
    const index = testIndex(images);
    await ours.client.pushManifest(repository, 'v1', index);
    expect(await ours.deliver()).toEqual(EMPTY);
    expect(await digestAt(theirs, 'v1', 'mirror/team/app')).toBe(index.digest);
    for (const { manifest } of images)
      expect(await digestAt(theirs, manifest.digest, 'mirror/team/app')).toBe(manifest.digest);

    // The same again, and another tag of it: nothing is sent but a manifest.
    theirs.asked.length = 0;
    await ours.client.pushManifest(repository, 'v1', index);
    await ours.client.pushManifest(repository, 'v2', index);
    expect(await ours.deliver()).toEqual(EMPTY);
    expect(
      theirs.asked.filter((line) => /^(POST|PATCH|PUT)/.test(line)).map((line) => line.split(' ')[1]),
    ).toEqual(expect.arrayContaining(['mirror/team/app/manifests/v2']));
    expect(theirs.asked.filter((line) => line.includes('uploads'))).toEqual([]);
  });

  test('of a signature follows its image', async () => {
    await ours.replicateTo(theirs.host);
    const signed = image();
    await ours.client.pushImage(repository, 'v1', signed);
    const signature = image({ subject: descriptor(signed.manifest) });
    await ours.client.pushImage(repository, signature.manifest.digest, signature);
    expect(await ours.deliver()).toEqual(EMPTY);
    const referrers = await theirs.client.request('GET', `/v2/team/app/referrers/${signed.manifest.digest}`);
    expect(await referrers.json()).toMatchObject({ manifests: [{ digest: signature.manifest.digest }] });
  });

  test('that a later one has overtaken is left out', async () => {
    await ours.replicateTo(theirs.host);
    const [first, second] = [image(), image()];
    await ours.client.pushImage(repository, 'v1', first);
    await ours.client.pushImage(repository, 'v1', second);
    expect(await ours.deliver()).toEqual(EMPTY);
    expect(await digestAt(theirs, 'v1')).toBe(second.manifest.digest);
    expect(theirs.asked.join()).not.toContain(first.blobs[1]?.digest ?? '-');
  });
});

describe('a deletion', () => {
  test('is followed, for the tag and for the manifest', async () => {
    await ours.replicateTo(theirs.host);
    const made = image();
    await ours.client.pushImage(repository, 'v1', made);
    await ours.client.pushImage(repository, 'v2', made);
    await ours.deliver();
    await remove(ours, 'v1');
    expect(await ours.deliver()).toEqual(EMPTY);
    expect([await digestAt(theirs, 'v1'), await digestAt(theirs, 'v2')]).toEqual([
      null,
      made.manifest.digest,
    ]);
    await remove(ours, made.manifest.digest);
    expect(await ours.deliver()).toEqual(EMPTY);
    expect(await digestAt(theirs, made.manifest.digest)).toBeNull();
  });

  test('is not followed where that is not wanted, where something else is there, or what is here again', async () => {
    const [made, other] = [image(), image()];
    await ours.replicateTo(theirs.host, { deletes: false });
    await ours.client.pushImage(repository, 'v1', made);
    await ours.deliver();
    await remove(ours, 'v1');
    await ours.deliver();
    expect(await digestAt(theirs, 'v1')).toBe(made.manifest.digest);

    await ours.replicateTo(theirs.host);
    await ours.client.pushManifest(repository, 'v1', made.manifest);
    await ours.deliver();
    await theirs.client.pushImage(repository, 'v1', other);
    await remove(ours, 'v1');
    await ours.deliver();
    expect(await digestAt(theirs, 'v1')).toBe(other.manifest.digest);
  });
});

test('two registries that replicate to each other come to rest', async () => {
  await ours.replicateTo(theirs.host);
  await theirs.replicateTo(ours.host);
  const [first, second] = [image(), image()];
  await ours.client.pushImage(repository, 'v1', first);
  await theirs.client.pushImage(repository, 'v2', second);
  for (let round = 0; round < 2; round += 1)
    for (const one of [ours, theirs]) expect(await one.deliver()).toEqual(EMPTY);
  for (const one of [ours, theirs]) {
    expect(await digestAt(one, 'v1')).toBe(first.manifest.digest);
    expect(await digestAt(one, 'v2')).toBe(second.manifest.digest);
    one.asked.length = 0;
  }
  // At rest: nothing more is asked of either.
  for (const one of [ours, theirs]) await one.deliver();
  expect([...ours.asked, ...theirs.asked]).toEqual([]);
  await remove(theirs, 'v1');
  for (const one of [theirs, ours, theirs]) await one.deliver();
  expect(await digestAt(ours, 'v1')).toBeNull();
});

describe('a registry that', () => {
  test('is down gets everything in order when it is back', async () => {
    await ours.replicateTo(theirs.host);
    theirs.fault = () => new Response(null, { status: 503 });
    const [first, second] = [image(), image()];
    await ours.client.pushImage(repository, 'v1', first);
    expect(await ours.deliver()).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('503') });
    await ours.client.pushImage(repository, 'v2', second);
    expect(await ours.deliver()).toMatchObject({ outcome: 'failed' });
    theirs.fault = undefined;
    expect(await ours.deliver()).toEqual(EMPTY);
    expect(await digestAt(theirs, 'v1')).toBe(first.manifest.digest);
    expect(await digestAt(theirs, 'v2')).toBe(second.manifest.digest);
  });

  test('breaks off in the middle of an image goes on with the next blob', async () => {
    await ours.replicateTo(theirs.host);
    const made = image();
    await ours.client.pushImage(repository, 'v1', made);
    let manifests = 0;
    theirs.fault = ({ method, url }) => {
      if (method !== 'PUT' || !url.includes('/manifests/')) return undefined;
      manifests += 1;
      return manifests === 1 ? new Response(null, { status: 500 }) : undefined;
    };
    expect(await ours.deliver()).toMatchObject({ outcome: 'failed' });
    theirs.asked.length = 0;
    expect(await ours.deliver()).toEqual(EMPTY);
    expect(theirs.asked.filter((line) => line.includes('uploads'))).toEqual([]);
  });

  test('refuses a manifest for good leaves a dead letter, and the next one passes', async () => {
    await ours.replicateTo(theirs.host);
    const [refused, taken] = [image(), image()];
    await ours.client.pushImage(repository, 'bad', refused);
    await ours.client.pushImage(repository, 'good', taken);
    theirs.fault = ({ method, url }) =>
      method === 'PUT' && url.endsWith('/bad')
        ? Response.json({ errors: [{ code: 'MANIFEST_INVALID', message: 'no' }] }, { status: 400 })
        : undefined;
    expect(await ours.deliver()).toEqual(EMPTY);
    expect(await ours.deadLetters()).toMatchObject([
      { lastFailure: expect.stringContaining('MANIFEST_INVALID: no') },
    ]);
    expect(await digestAt(theirs, 'good')).toBe(taken.manifest.digest);
  });
});

test('a sync brings what was there before, with what refers to it', async () => {
  const signed = image();
  const signature = image({ subject: descriptor(signed.manifest) });
  await ours.client.pushImage(repository, 'v1', signed);
  await ours.client.pushImage(repository, signature.manifest.digest, signature);
  await ours.client.pushImage('other/app', 'v1', image());
  await ours.replicateTo(theirs.host);
  expect(await ours.deliver()).toEqual(EMPTY);
  expect(await digestAt(theirs, 'v1')).toBeNull();
  const subscription = { name, repositories: [NamePattern.parse('team/**')] };
  const queued = await queueAll(ours.registry.deps.tables, subscription, 'admin', now);
  expect(queued).toEqual({ repositories: ['team/app'], events: 2 });
  expect(await ours.deliver()).toEqual(EMPTY);
  expect(await digestAt(theirs, 'v1')).toBe(signed.manifest.digest);
  expect(await digestAt(theirs, signature.manifest.digest)).toBe(signature.manifest.digest);
});

test.skipIf(!hasProgram('docker-registry'))(
  "Debian's distribution takes a large layer in chunks",
  async () => {
    const debian = await startDockerRegistry();
    undo.push(debian.stop);
    await ours.replicateTo(debian.host);
    const large = testImage([randomBytes(32 * 1024 * 1024 + 5), randomBytes(10)]);
    expect((await ours.client.pushImage(repository, 'v1', large)).status).toBe(201);
    expect(await ours.deliver()).toEqual(EMPTY);
    const there = connection({ url: `http://${debian.host}`, plainHttp: true });
    undo.push(there.close);
    expect(await httpUpstream(there).head(repository, 'v1')).toEqual({ digest: large.manifest.digest });
    // It deletes no tags, which holds nobody up; manifests it does.
    await remove(ours, 'v1');
    await remove(ours, large.manifest.digest);
    expect(await ours.deliver()).toEqual(EMPTY);
    await expect(httpUpstream(there).head(repository, large.manifest.digest)).rejects.toMatchObject({
      code: 'upstream-not-found',
    });
  },
);
