import { expect, test } from 'vitest';
import type { Digest, RepositoryName } from '../../../shared/model/image.ts';
import { keepContent } from '../../../shared/registry/content.ts';
import { addMarks } from '../../../shared/registry/garbage/marks.ts';
import { sweepBlobs, sweepManifests } from '../../../shared/registry/garbage/sweep-blobs.ts';
import { sweepLinks } from '../../../shared/registry/garbage/sweep-links.ts';
import { keepLink, linkBlob } from '../../../shared/registry/links.ts';
import { policyStore } from '../../../shared/registry/policy/policy-store.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import type { Blobs } from '../../../shared/state/blobs.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import type { Tables } from '../../../shared/state/tables.ts';

const DAY = 24 * 3600 * 1000;
const digest = `sha256:${'a'.repeat(64)}` as Digest;
const repository = 'shop' as RepositoryName;

/** Something that is old, and a run that finds it so. */
async function old() {
  const clock = { now: Date.parse('2026-11-25T00:00:00Z') };
  const now = () => new Date(clock.now);
  const blobs = memoryBlobs(now);
  const tables = memoryTables();
  const metadata = { data: 'x', size: '1' };
  await blobs.put(`blobs/sha256/${'a'.repeat(64)}`, new Uint8Array(), { metadata });
  await blobs.put(`manifests/sha256/${'a'.repeat(64)}`, new Uint8Array(3));
  await linkBlob({ tables, policies: policyStore(tables, now), now }, repository, digest, 1);
  await addMarks(blobs, 'run', 'named', []);
  clock.now += 2 * DAY;
  const order = {
    run: 'run',
    kind: 'gc' as const,
    dryRun: false,
    by: 'test',
    startedAt: now().toISOString(),
  };
  return { blobs, tables, now, input: { order, startedAt: now(), cursor: undefined } };
}

/** Does something between the listing and what follows it. */
const afterListing = (blobs: Blobs, meanwhile: () => Promise<unknown>): Blobs => ({
  ...blobs,
  async page(...given) {
    const page = await blobs.page(...given);
    await meanwhile();
    return page;
  },
});

test('what nobody relies on goes', async () => {
  const { blobs, tables, now, input } = await old();
  for (const sweep of [sweepBlobs, sweepManifests, sweepLinks])
    expect((await sweep({ blobs, tables, now }, input)).findings).toHaveLength(1);
});

test('a blob that is touched after it was listed stays', async () => {
  const { blobs, tables, now, input } = await old();
  const touched = afterListing(blobs, () => keepContent(blobs, digest, now()));
  expect((await sweepBlobs({ blobs: touched, tables, now }, input)).findings).toEqual([]);
  expect(await keepContent(blobs, digest, now())).toBeDefined();
});

test('a manifest that is pushed again after it was listed stays', async () => {
  const { blobs, tables, now, input } = await old();
  const name = `manifests/sha256/${'a'.repeat(64)}`;
  const touched = afterListing(blobs, () => blobs.put(name, new Uint8Array(3)));
  expect((await sweepManifests({ blobs: touched, tables, now }, input)).findings).toEqual([]);
  expect(await blobs.head(name)).toBeDefined();
});

test('a link that somebody relies on after it was listed stays', async () => {
  const { blobs, tables, now, input } = await old();
  const touched: Tables = {
    ...tables,
    async *list(table, range) {
      for await (const row of tables.list(table, range)) {
        if (row.row.startsWith('b!')) await keepLink(tables, repository, digest, now());
        yield row;
      }
    },
  };
  expect((await sweepLinks({ blobs, tables: touched, now }, input)).findings).toEqual([]);
  expect(await keepLink(tables, repository, digest, now())).toBe(true);
});
