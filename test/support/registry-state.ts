import { createHash } from 'node:crypto';
import type { Blobs } from '../../shared/state/blobs.ts';
import type { Tables } from '../../shared/state/tables.ts';

/** All that a registry stored, to be compared with what it stored later. */
export async function dump(blobs: Blobs, tables: Tables): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { name, etag } of blobs.list('')) found.set(`blob ${name}`, etag);
  for (const table of ['registry', 'repositories'])
    for await (const { partition, row, values } of tables.list(table, {}))
      found.set(`row ${table} ${partition} ${row}`, JSON.stringify(values));
  return found;
}

/** What differs between two dumps, in words. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${before.has(name) ? (after.has(name) ? 'changed' : 'gone') : 'new'}: ${name}`);
}

/**
 * What no interruption may leave behind: content that is not its digest's, a pointer without content, a row that names what
 * is not there. Uploads that nobody ended and data that nobody points to may be left; care takes them away.
 * @returns what is wrong, in words
 */
export async function inconsistencies(blobs: Blobs, tables: Tables): Promise<string[]> {
  const wrong: string[] = [];
  const contents = new Set<string>();
  for await (const { name, metadata } of blobs.list('blobs/')) {
    const digest = name.slice('blobs/'.length).replace('/', ':');
    contents.add(digest);
    const data = await blobs.read(`data/${metadata['data']}`);
    if (data === undefined) wrong.push(`${digest} points to data/${metadata['data']}, which is not there`);
    else if (digestOf(digest, data.bytes) !== digest || String(data.bytes.length) !== metadata['size'])
      wrong.push(`${digest} points to ${data.bytes.length} bytes of something else`);
  }
  for await (const { name } of blobs.list('manifests/')) {
    const digest = name.slice('manifests/'.length).replace('/', ':');
    const found = await blobs.read(name);
    contents.add(`manifest ${digest}`);
    if (found === undefined || digestOf(digest, found.bytes) !== digest)
      wrong.push(`manifest ${digest} is something else`);
  }
  const rows = new Set<string>();
  const tags: { at: string; digest: string }[] = [];
  for await (const { partition, row, values } of tables.list('registry', {})) {
    rows.add(`${partition} ${row}`);
    const digest = String(values['digest']);
    if (row.startsWith('b!') && !contents.has(digest)) wrong.push(`${partition} has ${row} without content`);
    if (row.startsWith('m!') && !contents.has(`manifest ${digest}`))
      wrong.push(`${partition} has ${row} without content`);
    if (row.startsWith('t!')) tags.push({ at: partition, digest });
  }
  for (const { at, digest } of tags)
    if (!rows.has(`${at} m!${digest}`)) wrong.push(`${at} has a tag of ${digest}, which it has not`);
  return wrong;
}

const digestOf = (like: string, bytes: Uint8Array): string => {
  const algorithm = like.split(':')[0] ?? '';
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
};
