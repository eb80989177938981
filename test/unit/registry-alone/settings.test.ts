import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readSettings } from '../../../infra/registry/settings.ts';
import { hashKey, makeKey } from '../../../shared/auth/api-key.ts';

const enough = {
  REGISTRY_BLOB_URI: 'https://account.blob.core.windows.net',
  REGISTRY_TABLE_URI: 'https://account.table.core.windows.net',
  REGISTRY_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
  REGISTRY_ADMIN_KEY_SHA256: 'a'.repeat(64),
};

test('what need not be said', () => {
  expect(readSettings(enough)).toMatchObject({
    credential: 'default',
    events: 'drop',
    address: '127.0.0.1',
    port: 5000,
    tls: undefined,
    origin: undefined,
  });
});

test('all that is missing is named at once, with an example', () => {
  const message = thrown({});
  for (const name of Object.keys(enough)) expect(message).toContain(name);
  expect(message).toContain('missing, for example https://account.blob.core.windows.net');
});

test.each([
  ['REGISTRY_BLOB_URI', 'http://account.blob.core.windows.net', 'expected an https address'],
  ['REGISTRY_CREDENTIAL', 'password', 'managed-identity'],
  ['REGISTRY_PORT', '70000', '5000'],
  ['REGISTRY_ADDRESS', 'everywhere', 'expected an address'],
  ['REGISTRY_ORIGIN', 'https://registry.example.com/v2', 'no path'],
  ['REGISTRY_ADMIN_KEY_FILE', '/nowhere', 'expected one of them'],
  ['REGISTRY_CERTIFICATE_FILE', '/nowhere', 'both of them or neither'],
])('%s=%s', (name, value, expected) => {
  const message = thrown({ ...enough, [name]: value });
  expect(message).toContain(name);
  expect(message).toContain(expected);
});

test('a file that cannot be read is named', () => {
  const { REGISTRY_ADMIN_KEY_SHA256: _hash, ...rest } = enough;
  expect(thrown({ ...rest, REGISTRY_ADMIN_KEY_FILE: '/nowhere' })).toMatch(
    /REGISTRY_ADMIN_KEY_FILE: \/nowhere cannot be read/,
  );
});

test('a file without an API key is refused: nobody could log in with what it holds', () => {
  const { REGISTRY_ADMIN_KEY_SHA256: _hash, ...rest } = enough;
  const file = join(mkdtempSync(join(tmpdir(), 'test-settings-')), 'admin.key');
  const read = { ...rest, REGISTRY_ADMIN_KEY_FILE: file };
  writeFileSync(file, 'a secret of my own\n');
  expect(thrown(read)).toMatch(/REGISTRY_ADMIN_KEY_FILE: .* holds no API key; expected berth_<name>_/);
  const key = makeKey('admin');
  writeFileSync(file, `${key}\n`);
  expect(readSettings(read).adminKeyHash).toBe(hashKey(key));
  rmSync(dirname(file), { recursive: true });
});

function thrown(environment: Record<string, string>): string {
  try {
    readSettings(environment);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}
