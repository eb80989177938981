import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOf } from '../../../cli/push/region.ts';
import { tarIndex } from '../../../cli/push/tar-index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tar-index-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const write = (bytes: Uint8Array): string => {
  files += 1;
  const file = join(directory, `${files}.tar`);
  writeFileSync(file, bytes);
  return file;
};

describe('tarIndex', () => {
  test('finds every file, whatever the length of its name', async () => {
    const name = fc.stringMatching(/^[a-zä]{1,120}(\/[a-z]{1,120}){0,3}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 2000 })), {
          selector: ([path]) => path,
          maxLength: 6,
        }),
        async (entries) => {
          const tar = pack();
          for (const [path, content] of entries) tar.entry({ name: path }, Buffer.from(content));
          tar.finalize();
          const index = await tarIndex(write(await buffer(tar)));
          expect([...index.keys()].sort()).toEqual(entries.map(([path]) => path).sort());
          for (const [path, content] of entries)
            expect(new Uint8Array(await bytesOf(index.get(path)!))).toEqual(new Uint8Array(content));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('follows links, as engines write them for layers that images share', async () => {
    const tar = pack();
    tar.entry({ name: './one/layer.tar' }, 'content');
    tar.entry({ name: 'two/layer.tar', type: 'symlink', linkname: '../one/layer.tar' });
    tar.entry({ name: 'three/layer.tar', type: 'link', linkname: 'one/layer.tar' });
    tar.entry({ name: 'out', type: 'symlink', linkname: '../../etc/passwd' });
    tar.finalize();
    const index = await tarIndex(write(await buffer(tar)));
    expect(index.get('two/layer.tar')).toEqual(index.get('one/layer.tar'));
    expect(index.get('three/layer.tar')).toEqual(index.get('one/layer.tar'));
    expect(index.has('out')).toBe(false);
  });

  test('refuses what is no tar, or a part of one', async () => {
    const tar = pack();
    tar.entry({ name: 'a' }, Buffer.alloc(2000));
    tar.finalize();
    const whole = await buffer(tar);
    await expect(tarIndex(write(randomBytes(3000)))).rejects.toThrow('no header at byte 0');
    await expect(tarIndex(write(whole.subarray(0, 1500)))).rejects.toThrow('ends in the middle');
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 511 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const broken = Buffer.from(whole);
        broken[at] = (broken[at] ?? 0) ^ change;
        // Refused in words, or read as what it then is: never anything else.
        await tarIndex(write(broken)).then(
          (index) => expect(index.size).toBeLessThanOrEqual(1),
          (error: unknown) => expect(error).toMatchObject({ code: 'archive-invalid' }),
        );
      }),
      { numRuns: 60 },
    );
  });
});
