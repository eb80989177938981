import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MarkFilter } from '../../../shared/registry/garbage/mark-filter.ts';
import { addMarks, readMarks } from '../../../shared/registry/garbage/marks.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import type { Blobs } from '../../../shared/state/blobs.ts';

test('a filter forgets nothing, also after it was stored', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (salt, names) => {
      const filter = new MarkFilter(salt, new Uint8Array(1024));
      for (const name of names) filter.add(name);
      const read = new MarkFilter(salt, new Uint8Array(filter.bytes));
      for (const name of names) expect(read.has(name)).toBe(true);
    }),
  );
});

test('it takes few others for known, and other ones with another salt', () => {
  const taken = (salt: string): number[] => {
    const filter = new MarkFilter(salt, new Uint8Array(4096));
    for (let number = 0; number < 2000; number += 1) filter.add(`in ${number}`);
    return Array.from({ length: 20_000 }, (_, number) => number).filter((number) =>
      filter.has(`out ${number}`),
    );
  };
  const [first, second] = [taken('a'), taken('b')];
  // 16 bits a name: six in ten thousand.
  expect(first.length + second.length).toBeGreaterThan(0);
  expect(first.length).toBeLessThan(60);
  expect(first.filter((number) => second.includes(number)).length).toBeLessThan(3);
});

test('pages that add at once lose nothing, and without marks nothing is read', async () => {
  const blobs = memoryBlobs();
  await expect(readMarks(blobs, 'run', 'named')).rejects.toMatchObject({ code: 'marks-missing' });
  await Promise.all(
    Array.from({ length: 8 }, (_, page) => addMarks(blobs, 'run', 'named', [`page ${page}`])),
  );
  const marks = await readMarks(blobs, 'run', 'named');
  for (let page = 0; page < 8; page += 1) expect(marks.has(`page ${page}`)).toBe(true);
});

test('a page that was done before and comes once more, late, takes nothing away', async () => {
  const blobs = memoryBlobs();
  await addMarks(blobs, 'run', 'named', ['first']);
  let late = true;
  const slow: Blobs = {
    ...blobs,
    async read(name) {
      const found = await blobs.read(name);
      if (late) await addMarks(blobs, 'run', 'named', ['second']);
      late = false;
      return found;
    },
  };
  await addMarks(slow, 'run', 'named', ['first']);
  const marks = await readMarks(blobs, 'run', 'named');
  expect([marks.has('first'), marks.has('second')]).toEqual([true, true]);
});
