import { beforeEach, describe, expect, test } from 'vitest';
import { gathered } from '../../../shared/state/gathered-tables.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { Conflict, type Tables, type Write } from '../../../shared/state/tables.ts';

const put = (row: string, text = row): Write => ({ kind: 'upsert', row, values: { text } });

describe('tables that are asked once for what many ask together', () => {
  let asked: string[];
  let inner: Tables;
  let tables: Tables;
  beforeEach(() => {
    asked = [];
    inner = memoryTables();
    tables = gathered({
      ...inner,
      read(table, partition, row) {
        asked.push(`read ${partition}/${row}`);
        return inner.read(table, partition, row);
      },
      commit(table, partition, writes) {
        asked.push(`commit ${partition}/${writes.map(({ row }) => row).join()}`);
        return inner.commit(table, partition, writes);
      },
    });
  });

  test('read a row once, and again for who asks later', async () => {
    await inner.commit('t', 'p', [put('a')]);
    const both = await Promise.all([tables.read('t', 'p', 'a'), tables.read('t', 'p', 'a')]);
    expect(both.map((row) => row?.values['text'])).toEqual(['a', 'a']);
    expect(asked).toEqual(['read p/a']);
    await inner.commit('t', 'p', [put('a', 'new')]);
    expect((await tables.read('t', 'p', 'a'))?.values['text']).toBe('new');
  });

  test('do not answer who asks while a read is under way with what was read before', async () => {
    const first = tables.read('t', 'p', 'a');
    await new Promise((resolve) => setImmediate(resolve));
    await inner.commit('t', 'p', [put('a')]);
    expect(await first).toBeUndefined();
    expect((await tables.read('t', 'p', 'a'))?.values['text']).toBe('a');
  });

  test('write rows of one partition in one transaction, each with its own answer', async () => {
    const answers = await Promise.all([
      tables.commit('t', 'p', [put('a')]),
      tables.commit('t', 'p', [put('b')]),
      tables.commit('t', 'q', [put('a')]),
    ]);
    expect(asked).toEqual(['commit p/a,b', 'commit q/a']);
    for (const [index, [partition, row]] of [
      ['p', 'a'] as const,
      ['p', 'b'] as const,
      ['q', 'a'] as const,
    ].entries())
      expect([...(answers[index] ?? [])]).toEqual([[row, (await inner.read('t', partition, row))?.etag]]);
  });

  test('write one row in the order in which it was asked for', async () => {
    await Promise.all(['1', '2', '3'].map((text) => tables.commit('t', 'p', [put('a', text)])));
    expect((await inner.read('t', 'p', 'a'))?.values['text']).toBe('3');
    expect(asked).toEqual(['commit p/a', 'commit p/a', 'commit p/a']);
  });

  test('keep a transaction within what the service takes', async () => {
    await Promise.all(Array.from({ length: 150 }, (_, row) => tables.commit('t', 'p', [put(`r${row}`)])));
    expect(asked.map((one) => one.split(',').length)).toEqual([100, 50]);
    asked = [];
    const large = 'x'.repeat(30_000);
    await Promise.all(
      Array.from({ length: 40 }, (_, row) => tables.commit('t', 'p', [put(`r${row}`, large)])),
    );
    expect(asked.map((one) => one.split(',').length)).toEqual([33, 7]);
  });

  test('leave alone what has a condition, and what is a transaction already', async () => {
    const insert: Write = { kind: 'insert', row: 'a', values: {} };
    const results = await Promise.allSettled([
      tables.commit('t', 'p', [insert]),
      tables.commit('t', 'p', [put('b')]),
      tables.commit('t', 'p', [insert]),
      tables.commit('t', 'p', [put('c'), put('d')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(results[2]).toMatchObject({ reason: expect.any(Conflict) });
    expect(asked).toHaveLength(4);
  });

  test('tell everyone of a failure, and go on', async () => {
    let failing = true;
    const flaky = gathered({
      ...inner,
      async commit(table, partition, writes) {
        if (failing) throw new Error('busy');
        return inner.commit(table, partition, writes);
      },
    });
    const results = await Promise.allSettled([
      flaky.commit('t', 'p', [put('a')]),
      flaky.commit('t', 'p', [put('b')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    failing = false;
    await flaky.commit('t', 'p', [put('a')]);
    expect(await inner.read('t', 'p', 'a')).toBeDefined();
  });
});
