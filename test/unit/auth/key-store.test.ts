import { describe, expect, it } from 'vitest';
import { hashKey, isKey, keyIdOf, makeKey } from '../../../shared/auth/api-key.ts';
import { keyStore } from '../../../shared/auth/key-store.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';

describe('API keys', () => {
  it('carry their id and 256 random bits', () => {
    const text = makeKey('admin');
    expect(keyIdOf(text)).toBe('admin');
    expect(makeKey('admin')).not.toBe(text);
    expect(isKey(text, hashKey(text))).toBe(true);
    expect(isKey(`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`, hashKey(text))).toBe(false);
    for (const no of ['', 'berth_x', `${text} `, text.replace('berth', 'other')])
      expect(keyIdOf(no)).toBeUndefined();
  });

  it('of the deployment is the administrator', async () => {
    const text = makeKey('admin');
    const keys = keyStore(memoryTables(), hashKey(text));
    expect(await keys.check('any', text)).toEqual({ id: 'admin', roles: ['admin'] });
    expect(await keys.check('any', makeKey('admin'))).toBeUndefined();
  });

  it('are stored hashed, listed, expire and are revoked', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const tables = memoryTables();
    const keys = keyStore(tables, hashKey(makeKey()), () => now);
    const { text, key } = await keys.create('deployer', 'build server', '2026-01-02T00:00:00.000Z');
    expect(await keys.check('', text)).toEqual({ id: key.id, roles: ['deployer'] });
    for await (const row of tables.list('apikeys', {}))
      expect(JSON.stringify(row)).not.toContain(text.slice(-43));
    expect((await keys.list()).map(({ id }) => id)).toEqual([key.id]);
    now = new Date('2026-01-02T00:00:00Z');
    expect(await keys.check('', text)).toBeUndefined();
    now = new Date('2026-01-01T00:00:00Z');
    await keys.revoke(key.id);
    await keys.revoke(key.id);
    expect(await keys.check('', text)).toBeUndefined();
  });
});
