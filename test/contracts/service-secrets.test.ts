import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplicationName, EnvironmentName } from '../../shared/model/names.ts';
import type { SecretRecord } from '../../shared/model/secret-record.ts';
import { Secret } from '../../shared/secrets/secret.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { azureBlobs } from '../../shared/state/blobs.azure.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import type { Blobs } from '../../shared/state/blobs.ts';
import { azureTables } from '../../shared/state/tables.azure.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import type { Tables } from '../../shared/state/tables.ts';
import { serviceSecrets } from '../../shared/workloads/service-secrets.ts';
import { startTestStorage, type TestStorage } from '../support/storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await startTestStorage();
});
afterAll(() => storage?.stop());

const subjects: readonly { name: string; make: () => { tables: Tables; blobs: Blobs } }[] = [
  { name: 'memory', make: () => ({ tables: memoryTables(), blobs: memoryBlobs() }) },
  {
    name: 'Azurite',
    make: () => ({
      tables: azureTables(storage.tableUri, storage.credential),
      blobs: azureBlobs(storage.blobUri, 'secrets', storage.credential),
    }),
  },
];

describe.each(subjects)('secrets of users in $name', ({ make }) => {
  const shop = ApplicationName.parse('shop');
  const bytes = (text: string) => new TextEncoder().encode(text);
  let count = 0;
  /** An environment of its own, since Azurite keeps what others wrote. */
  const fresh = () => {
    count += 1;
    const dev = EnvironmentName.parse(`dev-${count}`);
    const { tables, blobs } = make();
    const current = new Secret(randomBytes(32).toString('base64'));
    const store = serviceSecrets(
      tables,
      blobSecrets(blobs, { current, previous: undefined }),
      () => new Date(),
    );
    const textOf = async (record: SecretRecord | undefined) => {
      const opened = record && (await store.open(record));
      return opened && new TextDecoder().decode(opened.reveal());
    };
    const everything = async () => {
      let text = '';
      for await (const row of tables.list('secrets', {})) text += JSON.stringify(row);
      for await (const { name } of blobs.list(''))
        text += `${name} ${Buffer.from((await blobs.read(name))?.bytes ?? []).toString('latin1')}`;
      return text;
    };
    const names = async () => {
      const found = [];
      for await (const { name } of blobs.list(`workloads/${dev}/`)) found.push(name);
      return found;
    };
    return { dev, store, textOf, everything, names };
  };

  it('has an older value no more, an application’s own comes first, and nothing that is stored says a value', async () => {
    const { dev, store, textOf, everything, names } = fresh();
    const name = 'db.password';
    expect(await store.find(dev, shop, name)).toBeUndefined();
    const first = await store.set({ environment: dev, name }, bytes('canary-one'));
    expect(first).toMatchObject({ version: 1, size: 10 });
    const second = await store.set({ environment: dev, name }, bytes('canary-two'));
    expect(second.version).toBe(2);
    expect(await textOf(first)).toBeUndefined();
    expect(await textOf(await store.find(dev, shop, name))).toBe('canary-two');
    await store.set({ environment: dev, application: shop, name }, bytes('canary-own'));
    expect(await textOf(await store.find(dev, shop, name))).toBe('canary-own');
    expect(await textOf(await store.find(dev, ApplicationName.parse('other'), name))).toBe('canary-two');
    expect(await store.find(EnvironmentName.parse('test'), shop, name)).toBeUndefined();
    expect((await store.list(dev)).map(({ key }) => key.application)).toEqual([undefined, 'shop']);
    expect(await names()).toHaveLength(2);
    expect(await everything()).not.toContain('canary');
  });

  it('counts on after it was removed, so that an older value is known as one', async () => {
    const { dev, store, names } = fresh();
    const key = { environment: dev, name: 'token' };
    expect(await store.remove(key)).toBe(false);
    await store.set(key, bytes('a'));
    expect(await store.remove(key)).toBe(true);
    expect(await store.remove(key)).toBe(false);
    expect(await store.list(dev)).toEqual([]);
    expect(await store.find(dev, shop, 'token')).toBeUndefined();
    expect((await store.set(key, bytes('b'))).version).toBe(2);
    expect(await names()).toHaveLength(1);
  });

  it('has one of the values that are set at once, and no leftovers', async () => {
    const { dev, store, textOf, names } = fresh();
    const key = { environment: dev, name: 'raced' };
    const set = await Promise.all(['a', 'b', 'c'].map((value) => store.set(key, bytes(value))));
    expect(set.map(({ version }) => version).sort()).toEqual([1, 2, 3]);
    const last = ['a', 'b', 'c'][set.findIndex(({ version }) => version === 3)];
    expect(await textOf(await store.find(dev, shop, 'raced'))).toBe(last);
    expect(await names()).toHaveLength(1);
  });
});
