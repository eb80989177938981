import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archives, localFiles, packed } from '../../../../cli/copy/pack.ts';
import { endsOf, placeOf } from '../../../../cli/copy/place.ts';
import { unpack } from '../../../../cli/copy/unpack.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'test-copy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Entry = [name: string, type: 'file' | 'directory' | 'symlink' | 'link' | 'fifo', more?: string];

async function archiveOf(entries: readonly Entry[]): Promise<Readable> {
  const archive = pack();
  for (const [name, type, more = ''] of entries)
    if (type === 'file') archive.entry({ name, mode: 0o4755 }, more);
    else archive.entry({ name, type, ...(type === 'directory' ? {} : { linkname: more }) });
  archive.finalize();
  return archive as unknown as Readable;
}

describe('an archive that is unpacked', () => {
  it('comes under the name that is wanted, with its links, without bits of its own', async () => {
    const archive = await archiveOf([
      ['data', 'directory'],
      ['data/a', 'file', 'one'],
      ['data/sub/b', 'file', 'two'],
      ['data/link', 'symlink', 'sub/b'],
      ['data/hard', 'link', 'data/a'],
    ]);
    const { files, left } = await unpack(archive, join(folder, 'here'));
    expect([files, left]).toEqual([4, []]);
    expect(readFileSync(join(folder, 'here/sub/b'), 'utf8')).toBe('two');
    expect(readlinkSync(join(folder, 'here/link'))).toBe('sub/b');
    expect(readFileSync(join(folder, 'here/hard'), 'utf8')).toBe('one');
    expect(statSync(join(folder, 'here/a')).mode & 0o7777).toBe(0o755);
  });

  it.each<[string, Entry[]]>([
    ['a name with ..', [['data/../../out', 'file', 'x']]],
    [
      'an absolute name',
      [
        ['data', 'directory'],
        ['/out', 'file', 'x'],
      ],
    ],
    [
      'a second root',
      [
        ['data/a', 'file', 'x'],
        ['other/b', 'file', 'x'],
      ],
    ],
  ])('is refused for %s', async (_, entries) => {
    mkdirSync(join(folder, 'in'));
    await expect(unpack(await archiveOf(entries), join(folder, 'in/here'))).rejects.toMatchObject({
      code: 'archive-unsafe',
    });
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  it('writes nothing through links: neither its own nor those that are here', async () => {
    mkdirSync(join(folder, 'outside'));
    const own = await archiveOf([
      ['data/way', 'symlink', '../outside'],
      ['data/way/file', 'file', 'x'],
      ['data/etc', 'symlink', '/etc'],
      ['data/up', 'symlink', 'a/../../..'],
      ['data/stolen', 'link', 'data/../../outside/secret'],
      ['data/pipe', 'fifo'],
    ]);
    const { left } = await unpack(own, join(folder, 'here'));
    expect(left.length).toBe(5);
    expect(readFileSync(join(folder, 'here/way/file'), 'utf8')).toBe('x');
    expect(existsSync(join(folder, 'outside/file'))).toBe(false);
    symlinkSync(join(folder, 'outside'), join(folder, 'here/led'));
    await expect(
      unpack(await archiveOf([['data/led/file', 'file', 'x']]), join(folder, 'here')),
    ).rejects.toMatchObject({ code: 'archive-unsafe' });
    symlinkSync(join(folder, 'outside/made'), join(folder, 'here/plain'));
    await unpack(await archiveOf([['data/plain', 'file', 'mine']]), join(folder, 'here'));
    expect(existsSync(join(folder, 'outside/made'))).toBe(false);
  });

  it('that breaks off is an error', async () => {
    const whole: Buffer[] = [];
    for await (const chunk of await archiveOf([['data', 'file', 'x'.repeat(10_000)]]))
      whole.push(chunk as Buffer);
    const half = Buffer.concat(whole).subarray(0, 5_000);
    await expect(unpack(Readable.from([half]), join(folder, 'here'))).rejects.toMatchObject({
      code: 'copy-incomplete',
    });
    await expect(unpack(Readable.from([]), join(folder, 'here'))).rejects.toMatchObject({
      code: 'copy-incomplete',
    });
  });
});

describe('files that are packed', () => {
  it('are there again when they are unpacked', async () => {
    mkdirSync(join(folder, 'from/sub'), { recursive: true });
    writeFileSync(join(folder, 'from/sub/file'), Buffer.from([0, 1, 255]), { mode: 0o600 });
    symlinkSync('sub/file', join(folder, 'from/link'));
    for await (const batch of archives(localFiles(join(folder, 'from'), 'name'), { batch: 1e9, most: 1e9 })) {
      await unpack(Readable.from(packed(batch)), join(folder, 'to'));
    }
    expect(readFileSync(join(folder, 'to/sub/file'))).toEqual(Buffer.from([0, 1, 255]));
    expect(statSync(join(folder, 'to/sub/file')).mode & 0o777).toBe(0o600);
    expect(readlinkSync(join(folder, 'to/link'))).toBe('sub/file');
  });

  it('go in several archives, and one that is too large in none', async () => {
    mkdirSync(join(folder, 'from'));
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, 'from', name), 'x'.repeat(5_000));
    const batches: string[][] = [];
    for await (const batch of archives(localFiles(join(folder, 'from'), 'n'), { batch: 8_000, most: 9_000 }))
      batches.push(batch.map(({ name }) => name));
    expect(batches).toEqual([['n', 'n/a'], ['n/b'], ['n/c']]);
    const refused = archives(localFiles(join(folder, 'from'), 'n'), { batch: 8_000, most: 3_000 });
    await expect(refused.next()).rejects.toMatchObject({ code: 'file-too-large' });
  });
});

describe('the ends of a copy', () => {
  it('are told apart', () => {
    expect(placeOf('hello/web/0.g1:/etc/x')).toEqual({
      at: 'service',
      service: 'hello/web/0.g1',
      path: '/etc/x',
    });
    expect(placeOf('./web:/x')).toEqual({ at: 'here', path: './web:/x' });
    expect(endsOf('web:/x', '.')).toMatchObject({ way: 'out' });
    expect(endsOf('.', 'web:/x')).toMatchObject({ way: 'in' });
    expect(() => endsOf('a', 'b')).toThrow('neither');
    expect(() => endsOf('a:/x', 'b:/y')).toThrow('both');
  });
});
