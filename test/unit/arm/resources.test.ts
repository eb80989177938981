import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Database, openDatabase } from '../../../infra/local/arm/resources/database.ts';
import { type Kind, type Resource, resourceId } from '../../../infra/local/arm/resources/resource.ts';
import { resources } from '../../../infra/local/arm/resources/resources.ts';

const opened = (path = ':memory:'): Database => {
  const database = openDatabase(path);
  onTestFinished(() => database.close());
  return database;
};
const resourceOf = (kind: Kind, group: string, name: string, properties = {}): Resource => ({
  ...{ id: resourceId('s', group, kind, name), kind, name, group, location: 'local', tags: {}, extra: {} },
  ...{ properties, hidden: {} },
});

describe('resources of the ARM endpoint', () => {
  it('are found by id in any case, by kind and by group, in the order of their ids', () => {
    const kept = resources(opened());
    for (const [kind, group, name] of [
      ['vm', 'B', 'two'],
      ['nic', 'a', 'zero'],
      ['vm', 'a', 'one'],
      ['vm', 'A', 'Three'],
    ] as const)
      kept.put(resourceOf(kind, group, name));
    expect(kept.get(resourceId('S', 'A', 'nic', 'ZERO'))?.name).toBe('zero');
    expect(kept.find('vm', resourceId('s', 'a', 'nic', 'zero'))).toBeUndefined();
    expect(kept.list('vm').map(({ name }) => name)).toEqual(['one', 'Three', 'two']);
    expect(kept.list('vm', 'A').map(({ name }) => name)).toEqual(['one', 'Three']);
    kept.remove(resourceId('s', 'a', 'vm', 'THREE'));
    expect(kept.list('vm', 'a').map(({ name }) => name)).toEqual(['one']);
  });

  it('are what they were before work that was taken back, also in what is read next', () => {
    const database = opened();
    const kept = resources(database);
    const [one, other] = [resourceOf('vm', 'a', 'one'), resourceOf('vm', 'a', 'other')];
    kept.put(one);
    expect(() =>
      database.transaction(() => {
        kept.put({ ...one, tags: { changed: 'yes' } });
        kept.put(other);
        kept.remove(one.id);
        throw new Error('refused');
      }),
    ).toThrow('refused');
    expect(kept.list('vm')).toEqual([one]);
  });

  it('are there again when the database is opened anew', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'resources-'));
    const path = join(folder, 'arm.db');
    const first = openDatabase(path);
    resources(first).put(resourceOf('vm', 'a', 'one', { vmId: '1' }));
    first.close();
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    expect(resources(opened(path)).list('vm')).toEqual([resourceOf('vm', 'a', 'one', { vmId: '1' })]);
  });

  it('cannot be changed by who got them, nor by who put them', () => {
    const kept = resources(opened());
    const given = resourceOf('vm', 'a', 'one', { list: [{ of: 'one' }] });
    kept.put(given);
    (given.properties['list'] as { of: string }[]).push({ of: 'more' });
    const got = kept.get(given.id);
    expect(got?.properties).toEqual({ list: [{ of: 'one' }] });
    expect(() => (got?.properties['list'] as unknown[] | undefined)?.push(1)).toThrow(TypeError);
  });
});
