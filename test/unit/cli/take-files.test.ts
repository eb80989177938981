import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildCommand } from '../../../cli/compose/builder.ts';
import { builtName } from '../../../cli/compose/built-name.ts';
import { takeFiles } from '../../../cli/compose/take-files.ts';
import { imageText } from '../../../cli/image-name.ts';

const folder = mkdtempSync(join(tmpdir(), 'test-take-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what a file is taken for', () => {
  it.each([
    ['compose.yaml', '', 'compose'],
    ['docker-compose.prod.yml', '', 'compose'],
    ['app.stack.yml', '', 'compose'],
    ['berth.yaml', '', 'berth'],
    ['my-berth.yml', '', 'berth'],
    ['-', '', 'berth'],
    ['a.yaml', 'name: x\nservices: {web: {image: x, port: 80, replicas: 2}}', 'berth'],
    ['b.yaml', 'services: {web: {image: x, ports: ["80:80"], depends_on: [db]}}', 'compose'],
    ['c.yaml', 'services: {web: {image: x}}\nnetworks: {}', 'compose'],
    ['d.yaml', 'name: x\njobs: {}', 'berth'],
    ['e.yaml', 'services: {web: {build: .}}', 'compose'],
    ['f.yaml', 'services: {web: {image: x}}', 'berth'],
    ['g.yaml', '- not: {a: mapping', 'berth'],
  ])('%s with %j: %s', (name, text, kind) => {
    const file = name === '-' ? name : join(folder, name);
    if (name !== '-') writeFileSync(file, text);
    expect(takeFiles([file])).toEqual({ kind, files: [file], isFound: false });
  });
  it('several are compose files, or refused', () => {
    expect(takeFiles(['a.compose.yaml', 'b.compose.yaml']).kind).toBe('compose');
    expect(() => takeFiles(['a.compose.yaml', 'berth.yaml'])).toThrow('berth.yaml is none');
    expect(() => takeFiles(['a.compose.yaml', '-'])).toThrow('- is none');
  });
});

describe('images that are built', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'shop/web:latest'],
    ['web', 'web:latest'],
    ['acme/web:2', 'acme/web:2'],
    ['ghcr.io/acme/web:2', 'acme/web:2'],
    ['docker.io/library/web', 'library/web:latest'],
    ['berth.example:8443/acme/web:3', 'acme/web:3'],
  ])('as %s are called %s', (image, expected) =>
    expect(imageText(builtName('shop', 'web', image, ['berth.example:8443']))).toBe(expected),
  );
  it('by a command', () =>
    expect(
      buildCommand(
        {
          service: 'web',
          at: { file: '', line: 1, column: 1 },
          context: 'app',
          options: ['--target', 't'],
          inline: 'FROM x',
        },
        'shop/web:latest',
      ),
    ).toEqual(['build', '--tag', 'shop/web:latest', '--file', '-', '--target', 't', 'app']));
});
