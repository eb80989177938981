import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../../cli/client.ts';
import { ensureClientCertificate, isAging } from '../../../../cli/machine/client-certificate.ts';
import { type DataFolder, dataFolder } from '../../../../cli/machine/data-folder.ts';
import { clientAuthority } from './client-authority.ts';

const HOUR = 3_600_000;

describe('the certificate for docker', () => {
  let root: string;
  let folder: DataFolder;
  let issued: number;
  const authority = clientAuthority();
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-client-'));
    folder = dataFolder({ XDG_DATA_HOME: root }, new URL('https://127.0.0.1:21400'));
    issued = 0;
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const clientWith = (key: string): Client => {
    const call = async (_route: unknown, filling: { json?: unknown } = {}) => {
      issued += 1;
      const { publicKey } = filling.json as { publicKey: string };
      return authority.sign(publicKey);
    };
    const url = new URL('https://127.0.0.1:21400');
    const connection = { url, key, ca: undefined, registries: [], origin: 'test' };
    return {
      connection,
      call: call as Client['call'],
      open: () => Promise.reject(new Error('no')),
      close: () => {},
    };
  };

  it('is got once, for a key that only its owner reads and that stays', async () => {
    const client = clientWith('berth_a');
    const first = await ensureClientCertificate(client, folder);
    expect(first.isNew).toBe(true);
    expect(new X509Certificate(first.cert).checkPrivateKey(createPrivateKey(first.key))).toBe(true);
    for (const name of ['key', 'cert', 'ca'])
      expect(statSync(join(folder.certificates, `${name}.pem`)).mode & 0o777).toBe(0o600);
    expect(statSync(folder.certificates).mode & 0o777).toBe(0o700);
    const again = await ensureClientCertificate(client, folder);
    expect(again).toEqual({ ...first, isNew: false });
    expect(issued).toBe(1);
    const anew = await ensureClientCertificate(client, folder, true);
    expect(anew.key).toBe(first.key);
    expect(issued).toBe(2);
  });

  it('is renewed when half of its time is over, also where it has lapsed', async () => {
    const { cert } = await ensureClientCertificate(clientWith('berth_a'), folder);
    const { validFrom, validTo } = new X509Certificate(cert);
    const half = (Date.parse(validFrom) + Date.parse(validTo)) / 2;
    expect([isAging(cert, half - HOUR), isAging(cert, half), isAging(cert, half + 999 * HOUR)]).toEqual([
      false,
      true,
      true,
    ]);
    await ensureClientCertificate(clientWith('berth_a'), folder, false, half + 999 * HOUR);
    expect(issued).toBe(2);
  });

  it('is another for another caller, and after files were damaged', async () => {
    await ensureClientCertificate(clientWith('berth_a'), folder);
    await ensureClientCertificate(clientWith('berth_b'), folder);
    expect(issued).toBe(2);
    writeFileSync(join(folder.certificates, 'key.pem'), 'nonsense');
    const mended = await ensureClientCertificate(clientWith('berth_b'), folder);
    expect(issued).toBe(3);
    expect(readFileSync(join(folder.certificates, 'key.pem'), 'utf8')).toBe(mended.key);
  });

  it('is of one key, also when several commands get it at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 5 }, () => ensureClientCertificate(clientWith('berth_a'), folder)),
    );
    expect(new Set(all.map(({ key }) => key)).size).toBe(1);
  });
});
