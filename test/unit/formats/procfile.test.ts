import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mapProcfile } from '../../../shared/formats/procfile.ts';
import { Invalid } from '../../../shared/model/invalid.ts';

const map = (text: string, dockerfile?: string) =>
  mapProcfile({ file: 'Procfile', text, name: 'shop', dockerfile });

describe('Procfiles', () => {
  it('web listens at PORT, release runs before, others are services', () =>
    expect(
      map('# c\nweb: node web.js # said\nworker_1: node w.js\nrelease: migrate\n', 'FROM x\nEXPOSE 3000')
        .application,
    ).toEqual({
      name: 'shop',
      services: {
        web: {
          image: 'shop/app:latest',
          command: ['/bin/sh', '-c', 'node web.js'],
          port: 3000,
          environment: { PORT: '3000' },
          before: { command: ['/bin/sh', '-c', 'migrate'] },
        },
        'worker-1': { image: 'shop/app:latest', command: ['/bin/sh', '-c', 'node w.js'] },
      },
    }));
  it.each([
    ['web node', 'expected NAME: COMMAND, found "web node".'],
    ['release: x', 'there is nothing else to roll out'],
    ['# nothing', 'there are no processes'],
  ])('%j is refused', (text, message) => expect(() => map(text)).toThrow(message));
});

const folder = fileURLToPath(new URL('../../../../shared/reference/formats/procfile/', import.meta.url));
describe.skipIf(!existsSync(folder))('Procfiles of others (../shared/reference/formats/procfile)', () => {
  it.each(existsSync(folder) ? readdirSync(folder) : [])('%s', (file) => {
    try {
      map(readFileSync(`${folder}${file}`, 'utf8'));
    } catch (error) {
      expect(error).toBeInstanceOf(Invalid);
    }
  });
});
