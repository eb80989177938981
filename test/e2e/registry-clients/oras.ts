import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { sha256 } from '../../support/oci-image.ts';
import { run } from '../../support/tool.ts';
import { describeClient, type World } from './world.ts';

export const orasTests = (world: () => World) =>
  describeClient('oras', false, (program) => {
    let folder: string;
    const at = (reference: string) => `${world().host}/oras/${reference}`;
    const oras = (command: string, ...args: string[]) =>
      run(
        program,
        [...command.split(' '), ...['--plain-http', '--username', 'x', '--password', world().key], ...args],
        world().trust,
      );
    /** Plain HTTP and the key on both sides. */
    const copy = (...args: string[]) =>
      run(program, [
        ...['cp', '--recursive'],
        ...['from', 'to'].flatMap((side) => [
          `--${side}-plain-http`,
          ...[`--${side}-username`, 'x', `--${side}-password`, world().key],
        ]),
        ...args,
      ]);
    beforeAll(async () => {
      folder = join(world().directory, 'oras');
      await mkdir(folder);
      await writeFile(join(folder, 'note.txt'), 'a note');
      await writeFile(join(folder, 'sbom.json'), '{"sbom":true}');
    });
    const file = (name: string) => join(folder, name);
    const unchecked = '--disable-path-validation';

    test('pushes an artifact and pulls its files back', async () => {
      const type = ['--artifact-type', 'application/vnd.example.note'];
      await oras('push', unchecked, ...type, at('note:1'), `${file('note.txt')}:text/plain`);
      const found = await world().manifest('oras/note', '1');
      expect(JSON.parse(Buffer.from(found?.bytes ?? []).toString())).toMatchObject({
        artifactType: 'application/vnd.example.note',
      });
      await writeFile(file('note.txt'), 'overwritten by the pull');
      await oras('pull', '--allow-path-traversal', at(`note@${found?.digest}`));
      expect(await readFile(file('note.txt'), 'utf8')).toBe('a note');
    });

    test('attaches, discovers by type, copies with all that refers to it, and deletes', async () => {
      for (const type of ['application/vnd.example.sbom', 'application/vnd.example.other'])
        await oras('attach', unchecked, '--artifact-type', type, at('note:1'), file('sbom.json'));
      const discovered = async (reference: string, ...more: string[]) => {
        const found = JSON.parse(await oras('discover', '--format', 'json', ...more, at(reference)));
        const { referrers = [] } = found as { referrers?: { artifactType: string; digest: string }[] };
        return referrers;
      };
      expect((await discovered('note:1')).map(({ artifactType }) => artifactType).sort()).toEqual([
        'application/vnd.example.other',
        'application/vnd.example.sbom',
      ]);
      const only = ['--artifact-type', 'application/vnd.example.sbom'];
      const [sbom, ...rest] = await discovered('note:1', ...only);
      expect(rest).toEqual([]);

      await copy(at('note:1'), at('copied:1'));
      expect((await world().manifest('oras/copied', '1'))?.digest).toBe(
        (await world().manifest('oras/note', '1'))?.digest,
      );
      expect(await discovered('copied:1', ...only)).toMatchObject([{ digest: sbom?.digest }]);

      await oras('manifest delete', '--force', at(`copied@${sbom?.digest}`));
      expect(await discovered('copied:1', ...only)).toEqual([]);
      expect(await oras('repo tags', at('copied'))).toBe('1\n');
    });

    test('an index from a layout on disk goes in unchanged, and a blob comes out of it', async () => {
      const { layout, index, images } = world();
      await run(program, [
        ...['cp', '--from-oci-layout', `${layout}:all`],
        ...['--to-plain-http', '--to-username', 'x', '--to-password', world().key, at('all:1')],
      ]);
      expect((await world().manifest('oras/all', '1'))?.digest).toBe(index.digest);
      const layer = images[0]?.blobs[2];
      await oras('blob fetch', '--output', file('layer'), at(`all@${layer?.digest}`));
      expect(sha256(await readFile(file('layer')))).toBe(layer?.digest);
    });
  });
