import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gathered } from '../../shared/state/gathered-tables.ts';
import { tableKey } from '../../shared/state/key.ts';
import { azureTables } from '../../shared/state/tables.azure.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { Conflict, type Range, type Row, type Tables } from '../../shared/state/tables.ts';
import { startTestStorage, type TestStorage } from '../support/storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await startTestStorage();
});
afterAll(() => storage?.stop());

let tables = 0;
describe.each<{ name: string; make: () => Tables }>([
  { name: 'memory', make: memoryTables },
  { name: 'Azurite', make: () => azureTables(storage.tableUri, storage.credential) },
  { name: 'Azurite, gathered', make: () => gathered(azureTables(storage.tableUri, storage.credential)) },
])('$name', ({ make }) => {
  const fresh = () => {
    tables += 1;
    return { table: `table${tables}`, store: make() };
  };
  const all = async (store: Tables, table: string, range: Range) => {
    const found: Row[] = [];
    for await (const row of store.list(table, range)) found.push(row);
    return found;
  };
  const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
    try {
      await promise;
    } catch (error) {
      return error instanceof Conflict ? error.kind : error;
    }
    return 'none';
  };

  test('nothing is there before the first write', async () => {
    const { store, table } = fresh();
    expect(await store.read(table, 'p', 'r')).toBeUndefined();
    expect(await all(store, table, {})).toEqual([]);
    expect(await all(store, table, { partition: 'p' })).toEqual([]);
    expect(await rejection(store.commit(table, 'p', [{ kind: 'delete', row: 'r' }]))).toBe('missing');
  });

  test('values of every type come back as they were', async () => {
    const { store, table } = fresh();
    const values = {
      text: 'ä "quoted" \u{1F6A2}',
      empty: '',
      long: 'x'.repeat(32_000),
      zero: 0,
      whole: 42,
      negative: -1,
      large: Number.MAX_SAFE_INTEGER,
      time: 1_795_564_800_000,
      fraction: 0.1,
      yes: true,
      no: false,
      date: '2026-11-25T00:00:00.000Z',
      guid: '00000000-0000-4000-8000-000000000000',
    };
    const etags = await store.commit(table, 'p', [{ kind: 'insert', row: 'r', values }]);
    const found = await store.read(table, 'p', 'r');
    expect(found).toEqual({ partition: 'p', row: 'r', etag: etags.get('r'), values });
    expect(await all(store, table, {})).toEqual([found]);
  });

  test('any text makes a key', async () => {
    const { store, table } = fresh();
    const partition = tableKey("registry/library/o'brien");
    const row = tableKey('a/b\\c#d?e%f ä\u0000\u{1F6A2}');
    await store.commit(table, partition, [{ kind: 'insert', row, values: { at: 1 } }]);
    expect(await store.read(table, partition, row)).toMatchObject({ partition, row, values: { at: 1 } });
    expect(await all(store, table, { partition })).toHaveLength(1);
  });

  test('insert, replace and delete hold to what was read', async () => {
    const { store, table } = fresh();
    const insert = { kind: 'insert', row: 'r', values: { n: 1 } } as const;
    const etag = (await store.commit(table, 'p', [insert])).get('r')!;
    expect(await rejection(store.commit(table, 'p', [insert]))).toBe('exists');
    const replaced = await store.commit(table, 'p', [{ kind: 'replace', row: 'r', values: { m: 2 }, etag }]);
    expect((await store.read(table, 'p', 'r'))!.values).toEqual({ m: 2 });
    expect(replaced.get('r')).not.toBe(etag);
    expect(
      await rejection(store.commit(table, 'p', [{ kind: 'replace', row: 'r', values: { n: 3 }, etag }])),
    ).toBe('changed');
    expect(await rejection(store.commit(table, 'p', [{ kind: 'delete', row: 'r', etag }]))).toBe('changed');
    expect(
      await rejection(store.commit(table, 'p', [{ kind: 'replace', row: 'other', values: {}, etag }])),
    ).toBe('missing');
    const gone = await store.commit(table, 'p', [{ kind: 'delete', row: 'r', etag: replaced.get('r')! }]);
    expect([...gone]).toEqual([]);
    expect(await store.read(table, 'p', 'r')).toBeUndefined();
    expect(await rejection(store.commit(table, 'p', [{ kind: 'delete', row: 'r' }]))).toBe('missing');
  });

  test('upsert makes and replaces whole', async () => {
    const { store, table } = fresh();
    await store.commit(table, 'p', [{ kind: 'upsert', row: 'r', values: { a: 1, b: 2 } }]);
    const second = await store.commit(table, 'p', [{ kind: 'upsert', row: 'r', values: { a: 3 } }]);
    expect(await store.read(table, 'p', 'r')).toEqual({
      partition: 'p',
      row: 'r',
      etag: second.get('r'),
      values: { a: 3 },
    });
  });

  test('a transaction writes all of it and answers the ETags', async () => {
    const { store, table } = fresh();
    const before = await store.commit(table, 'p', [
      { kind: 'insert', row: 'replaced', values: { n: 1 } },
      { kind: 'insert', row: 'deleted', values: { n: 1 } },
    ]);
    const etags = await store.commit(table, 'p', [
      { kind: 'insert', row: 'inserted', values: { n: 2 } },
      { kind: 'replace', row: 'replaced', values: { n: 2 }, etag: before.get('replaced')! },
      { kind: 'delete', row: 'deleted' },
      { kind: 'upsert', row: 'upserted', values: { n: 2 } },
    ]);
    const rows = await all(store, table, { partition: 'p' });
    expect(rows.map(({ row, etag }) => [row, etag])).toEqual([
      ['inserted', etags.get('inserted')],
      ['replaced', etags.get('replaced')],
      ['upserted', etags.get('upserted')],
    ]);
    expect(rows.every(({ values }) => values.n === 2)).toBe(true);
    expect(etags.size).toBe(3);
  });

  test.each([
    { failing: { kind: 'insert', row: 'there', values: {} }, conflict: 'exists' },
    { failing: { kind: 'replace', row: 'there', values: {}, etag: 'old' }, conflict: 'changed' },
    { failing: { kind: 'replace', row: 'missing', values: {}, etag: 'old' }, conflict: 'missing' },
    { failing: { kind: 'delete', row: 'missing' }, conflict: 'missing' },
    { failing: { kind: 'delete', row: 'there', etag: 'old' }, conflict: 'changed' },
    { failing: { kind: 'delete', row: 'missing', etag: 'old' }, conflict: 'missing' },
  ] as const)('a transaction with a $failing.kind that is $conflict writes nothing', async (each) => {
    const { store, table } = fresh();
    const first = await store.commit(table, 'p', [{ kind: 'insert', row: 'there', values: { n: 1 } }]);
    const current = await store.commit(table, 'p', [{ kind: 'upsert', row: 'there', values: { n: 2 } }]);
    const old = first.get('there')!;
    const failing = 'etag' in each.failing ? { ...each.failing, etag: old } : each.failing;
    expect(
      await rejection(
        store.commit(table, 'p', [
          { kind: 'upsert', row: 'a', values: {} },
          failing,
          { kind: 'upsert', row: 'z', values: {} },
        ]),
      ),
    ).toBe(each.conflict);
    expect((await all(store, table, {})).map(({ row, etag }) => [row, etag])).toEqual([
      ['there', current.get('there')],
    ]);
  });

  test('a transaction deletes the version that was read', async () => {
    const { store, table } = fresh();
    const before = await store.commit(table, 'p', [
      { kind: 'insert', row: 'one', values: {} },
      { kind: 'insert', row: 'two', values: { text: 'DELETE x HTTP/1.1\r\nIf-Match: *' } },
      { kind: 'insert', row: 'three', values: {} },
    ]);
    await store.commit(table, 'p', [
      { kind: 'delete', row: 'one' },
      { kind: 'delete', row: 'two', etag: before.get('two')! },
      { kind: 'replace', row: 'three', values: { text: 'x\r\nIf-Match: *' }, etag: before.get('three')! },
      { kind: 'insert', row: 'gone', values: { text: '\r\nDELETE x HTTP/1.1\r\nIf-Match: *' } },
    ]);
    expect((await all(store, table, {})).map(({ row }) => row)).toEqual(['gone', 'three']);
  });

  test('the first transaction makes the table', async () => {
    const { store, table } = fresh();
    await store.commit(table, 'p', [
      { kind: 'insert', row: '1', values: {} },
      { kind: 'insert', row: '2', values: {} },
    ]);
    expect(await all(store, table, {})).toHaveLength(2);
  });

  test('100 rows fit a transaction; what is no transaction is refused before it is sent', async () => {
    const { store, table } = fresh();
    const writes = Array.from(
      { length: 101 },
      (_, row) => ({ kind: 'insert', row: String(row), values: { n: row } }) as const,
    );
    await store.commit(table, 'p', writes.slice(0, 100));
    expect(await all(store, table, { partition: 'p' })).toHaveLength(100);
    expect(await rejection(store.commit(table, 'p', []))).toBeInstanceOf(TypeError);
    expect(await rejection(store.commit(table, 'p', writes))).toBeInstanceOf(TypeError);
    expect(await rejection(store.commit(table, 'p', [writes[0]!, writes[0]!]))).toBeInstanceOf(TypeError);
  });

  test('lists are sorted by partition and row and keep to their range', async () => {
    const { store, table } = fresh();
    for (const partition of ['q', 'p'])
      await store.commit(
        table,
        partition,
        ['b!2', 'a!1', 'b!1', 'B', 'c'].map((row) => ({ kind: 'insert', row, values: {} }) as const),
      );
    const keys = async (range: Range) =>
      (await all(store, table, range)).map(({ partition, row }) => `${partition}/${row}`);
    expect(await keys({ partition: 'p' })).toEqual(['p/B', 'p/a!1', 'p/b!1', 'p/b!2', 'p/c']);
    expect(await keys({ partition: 'p', from: 'b!', to: 'b"' })).toEqual(['p/b!1', 'p/b!2']);
    expect(await keys({ from: 'b!2' })).toEqual(['p/b!2', 'p/c', 'q/b!2', 'q/c']);
    expect(await keys({ to: 'a!1' })).toEqual(['p/B', 'q/B']);
  });

  test('a list goes beyond one page of 1000', async () => {
    const { store, table } = fresh();
    for (let page = 0; page < 11; page += 1)
      await store.commit(
        table,
        'p',
        Array.from(
          { length: 100 },
          (_, row) =>
            ({ kind: 'insert', row: String(page * 100 + row).padStart(5, '0'), values: {} }) as const,
        ),
      );
    const rows = (await all(store, table, { partition: 'p' })).map(({ row }) => row);
    expect(rows).toHaveLength(1100);
    expect(rows).toEqual([...rows].sort());
    const slowly = (await all(store, table, { partition: 'p', to: '00100', page: 7 })).map(({ row }) => row);
    expect(slowly).toEqual(rows.slice(0, 100));
  });

  test('of many who write what they read one succeeds', async () => {
    const { store, table } = fresh();
    const etag = (await store.commit(table, 'p', [{ kind: 'insert', row: 'r', values: { n: 0 } }])).get('r')!;
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        rejection(store.commit(table, 'p', [{ kind: 'replace', row: 'r', values: { n }, etag }])),
      ),
    );
    expect(outcomes.sort()).toEqual([...Array(7).fill('changed'), 'none']);
  });
});
