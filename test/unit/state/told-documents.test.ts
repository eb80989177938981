import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { type Documents, documents } from '../../../shared/state/documents.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { toldDocuments } from '../../../shared/state/told-documents.ts';

let plain: Documents<number>;
let told: Documents<number>;
/** What was told, beside what the table held at that moment. */
let heard: (readonly [number, number | undefined])[];

beforeEach(() => {
  plain = documents(memoryTables(), 'numbers', z.number());
  heard = [];
  told = toldDocuments(plain, async (value) => {
    heard.push([value, (await plain.get('p', 'r'))?.value]);
  });
});

test('every way to write tells what is there by then', async () => {
  const stored = await told.insert('p', 'r', 1);
  await told.replace(stored, 2);
  await told.upsert('p', 'r', 3);
  await told.update('p', 'r', (current = 0) => current + 1);
  expect(heard).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
  ]);
});

test('a deletion tells what was there, and only where there was something', async () => {
  await told.upsert('p', 'r', 1);
  await told.delete('p', 'r');
  await told.delete('p', 'r');
  expect(heard).toEqual([
    [1, 1],
    [1, undefined],
  ]);
});

test('what was left as it is, and what could not be written, is not told', async () => {
  await plain.upsert('p', 'r', 1);
  await told.update('p', 'r', () => undefined);
  await expect(told.insert('p', 'r', 2)).rejects.toMatchObject({ kind: 'exists' });
  expect(heard).toEqual([]);
});
