import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CloudEvent } from '../../../shared/model/cloud-event.ts';
import type { RepositoryName } from '../../../shared/model/image.ts';
import { Subscription } from '../../../shared/model/subscription.ts';
import { expireAudit, KEPT_DAYS } from '../../../shared/registry/audit/expire-audit.ts';
import { type AuditQuery, readAudit } from '../../../shared/registry/audit/read-audit.ts';
import type { Heard } from '../../../shared/registry/call.ts';
import { leftBehind } from '../../../shared/registry/left-behind.ts';
import { partitionOf } from '../../../shared/registry/repository.ts';
import { subscriptionStore } from '../../../shared/registry/subscriptions/subscription-store.ts';
import type { Tables } from '../../../shared/state/tables.ts';
import { testImage } from '../../support/oci-image.ts';
import { type RegistryClient, registryClient } from '../../support/registry-client.ts';
import { type TestRegistry, testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';

const image = () => testImage([randomBytes(500), randomBytes(10)], { form: 'oci' });
const name = (text: string) => text as RepositoryName;

describe.each(['memory', 'azurite'] as const)('the trail in %s', (kind) => {
  let storage: RegistryStorage;
  let registry: TestRegistry;
  let client: RegistryClient;
  const heard: Heard[] = [];
  /** How many transactions the table `registry` has had. */
  let commits = 0;
  beforeAll(async () => {
    storage = await registryStorages[kind]();
    const tables: Tables = {
      ...storage.tables,
      commit: async (table, partition, writes) => {
        if (table === 'registry') commits += 1;
        // As any storage that is not this process's memory: others get their turn meanwhile.
        await new Promise((done) => setImmediate(done));
        return storage.tables.commit(table, partition, writes);
      },
    };
    registry = await testRegistry(
      { ...storage, tables },
      { onActivity: async (one) => void heard.push(one) },
    );
    client = registryClient(registry.handle);
  });
  afterAll(() => storage?.stop());

  const read = async (query: Partial<AuditQuery>, may = (_: RepositoryName) => true) =>
    readAudit(storage.tables, may, { limit: 100, ...query });
  const shown = (events: readonly CloudEvent[]) =>
    events.map(({ type, subject }) => [type.split('.').at(-1), subject]);
  const rows = async (repository: string, prefix: string) => {
    const found = [];
    const partition = partitionOf(name(repository));
    for await (const row of storage.tables.list('registry', { partition, from: prefix, to: `${prefix}~` }))
      found.push(row);
    return found;
  };

  test('all that is done stands there, the newest first, with who did it', async () => {
    const made = image();
    const digest = made.manifest.digest;
    const path = '/v2/trail/a/manifests';
    await client.pushImage('trail/a', 'v1', made);
    await client.request('GET', `${path}/v1`);
    await client.request('HEAD', `${path}/v1`);
    await client.request('GET', `${path}/missing`);
    await client.request('GET', `${path}/${digest}`);
    const layer = made.blobs[0]!.digest;
    await client.request('POST', `/v2/trail/a2/blobs/uploads/?mount=${layer}&from=trail/a`);
    await client.request('DELETE', `/v2/trail/a2/blobs/${layer}`);
    await client.request('DELETE', `${path}/v1`);
    await client.pushManifest('trail/a', 'v2', made.manifest);
    await client.request('DELETE', `${path}/${digest}`);
    const { events, next } = await read({ repository: name('trail/a') });
    expect(shown(events)).toEqual([
      ['delete', digest],
      ['delete', 'v2'],
      ['push', 'v2'],
      ['delete', 'v1'],
      ['pull', digest],
      ['pull', 'v1'],
      ['push', 'v1'],
    ]);
    expect(next).toBeUndefined();
    const { data } = events.at(-1)!;
    expect(data).toMatchObject({
      repository: 'trail/a',
      tag: 'v1',
      digest,
      size: made.manifest.bytes.length,
      origin: { actor: 'operator', method: 'PUT', host: 'registry.test' },
    });
    const mounted = await read({ repository: name('trail/a2') });
    expect(shown(mounted.events)).toEqual([
      ['delete', layer],
      ['mount', layer],
    ]);
    expect(mounted.events[1]!.data).toMatchObject({ from: 'trail/a', size: made.blobs[0]!.bytes.length });
  });

  test('pages go on where the page before ended, over one repository and over all', async () => {
    const made = image();
    for (const repository of ['paged/a', 'paged/b', 'paged/a']) {
      await client.pushImage(repository, 'v1', made);
      await client.request('GET', `/v2/${repository}/manifests/v1`);
    }
    const may = (repository: string) => repository.startsWith('paged/');
    const all = await read({}, may);
    expect(all.events.map(({ source, type }) => `${source} ${type.slice(19)}`)).toEqual([
      'registry/paged/a pull',
      'registry/paged/a push',
      'registry/paged/b pull',
      'registry/paged/b push',
      'registry/paged/a pull',
      'registry/paged/a push',
    ]);
    const found: CloudEvent[] = [];
    for (let after: string | undefined; ; ) {
      const page = await read({ limit: 1, after }, may);
      found.push(...page.events);
      if (page.next === undefined) break;
      after = page.next;
    }
    expect(found).toEqual(all.events);
    expect((await read({ repository: name('paged/a'), action: 'pull' })).events).toHaveLength(2);
    expect((await read({ actor: 'nobody' }, may)).events).toEqual([]);
    expect((await read({ actor: 'operator' }, may)).events).toHaveLength(6);
    const since = new Date(Date.parse(all.events[2]!.time) - 1);
    expect((await read({ since }, may)).events.length).toBeGreaterThanOrEqual(3);
    // Another file's clock may have run ahead in this process, and what is stamped later sorts later.
    expect((await read({ since: new Date('2200-01-01') }, may)).events).toEqual([]);
  });

  test('pulls that come together share transactions', async () => {
    await client.pushImage('many/a', 'v1', image());
    commits = 0;
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const { status } = await client.request('GET', '/v2/many/a/manifests/v1');
        expect(status).toBe(200);
      }),
    );
    expect(commits).toBeLessThan(50);
    expect((await read({ repository: name('many/a'), action: 'pull' })).events).toHaveLength(100);
  });

  test('a pull that cannot be recorded is not answered', async () => {
    await client.pushImage('closed/a', 'v1', image());
    const failing = await testRegistry({
      ...storage,
      tables: {
        ...storage.tables,
        commit: async () => {
          throw new Error('the tables are not there');
        },
      },
    });
    const got = await registryClient(failing.handle).request('GET', '/v2/closed/a/manifests/v1');
    expect(got.status).toBe(500);
    expect(failing.reports).toHaveLength(1);
  });

  test('what a subscription hears of stands in its queue, and is passed on', async () => {
    const subscriptions = subscriptionStore(storage.tables, () => new Date());
    const made = image();
    await client.pushImage('heard/a', 'v0', made);
    await subscriptions.put(
      Subscription.parse({
        name: 'all',
        repositories: ['heard/**'],
        actions: ['push', 'pull', 'delete', 'mount'],
        format: 'cloudevents',
        sink: { kind: 'webhook', url: 'https://receiver.example/' },
        createdAt: new Date().toISOString(),
      }),
    );
    const own = await testRegistry(storage, { onActivity: async (one) => void heard.push(one) });
    const listening = registryClient(own.handle);
    heard.length = 0;
    await listening.request('GET', '/v2/heard/a/manifests/v0');
    await listening.pushManifest('heard/a', 'v1', made.manifest);
    await listening.request('DELETE', '/v2/heard/a/manifests/v1');
    expect(heard.map(({ subscriptions, pushes }) => [subscriptions, pushes.length])).toEqual([
      [['all'], 0],
      [['all'], 1],
      [['all'], 0],
    ]);
    const waiting = await rows('heard/a', 'q!all!');
    expect(waiting.map(({ values }) => JSON.parse(String(values.json0)).events[0].type)).toEqual([
      'dev.berth.registry.pull',
      'dev.berth.registry.push',
      'dev.berth.registry.delete',
    ]);
    const left = [];
    for await (const one of leftBehind(storage.tables, new Date()))
      if (one.feed === 'heard/a') left.push(one);
    expect(left).toMatchObject([{ subscriptions: ['all'], pushes: [] }]);
  });

  test('what is older than it is kept for goes, the rest stays', async () => {
    await client.pushImage('old/a', 'v1', image());
    const days = 24 * 3600 * 1000;
    await expireAudit(storage.tables, new Date(Date.now() + (KEPT_DAYS - 1) * days));
    expect((await read({ repository: name('old/a') })).events).toHaveLength(1);
    const removed = await expireAudit(storage.tables, new Date(Date.now() + (KEPT_DAYS + 1) * days));
    expect(removed).toBeGreaterThan(100);
    expect((await read({})).events).toEqual([]);
  });
});
