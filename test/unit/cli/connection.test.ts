import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findConnection } from '../../../cli/connection.ts';

let folder: string;
const write = (text: string) => writeFileSync(join(folder, '.berth/client.json'), text);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'test-connection-'));
  mkdirSync(join(folder, '.berth'));
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'ca.pem'), 'PEM');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('where Berth is', () => {
  it('stands in the nearest client file upward, or in the environment, which comes first', () => {
    write(JSON.stringify({ url: 'https://file', key: 'k', ca: join(folder, 'ca.pem') }));
    expect(findConnection({}, join(folder, 'a/b'))).toMatchObject({
      key: 'k',
      ca: 'PEM',
      url: new URL('https://file'),
    });
    expect(findConnection({ BERTH_URL: 'https://env', BERTH_KEY: 'e' }, folder)).toMatchObject({
      key: 'e',
      ca: undefined,
    });
  });

  it.each([
    ['{', /JSON/],
    ['{"url":"http://plain","key":"k"}', /url: expected an https address/],
    ['{"url":"https://x"}', /key/],
    ['{"url":"https://x","key":"k","ca":"/none/ca.pem"}', /no file \/none\/ca\.pem/],
  ])('client file %s is refused in words', (text, message) => {
    write(text);
    expect(() => findConnection({}, folder)).toThrow(message);
  });
});
