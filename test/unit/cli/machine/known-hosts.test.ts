import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostKeysOnConsole, keysIn, withHostKeys } from '../../../../cli/machine/known-hosts.ts';

const ed25519 = `ssh-ed25519 ${'AAAAC3NzaC1lZDI1NTE5AAAAI'.padEnd(68, 'B')}`;
const ecdsa = `ecdsa-sha2-nistp256 ${'AAAAE2VjZHNh'.padEnd(139, 'C')}=`;

const console = `<14>Nov 25 08:50:52 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----\r
<14>Nov 25 08:50:52 cloud-init: 256 SHA256:i4SQSySp6pToYhGwNSiee root@m1 (ED25519)\r
<14>Nov 25 08:50:52 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----\r
-----BEGIN SSH HOST KEY KEYS-----\r
${ecdsa} root@m1\r
${ed25519} root@m1\r
-----END SSH HOST KEY KEYS-----\r
[  12.3] cloud-init[1219]: finished\r
`;

describe('host keys', () => {
  it('are read from a console, the last that it shows', () => {
    expect(hostKeysOnConsole(console)).toEqual([ecdsa, ed25519]);
    expect(hostKeysOnConsole(console + console.replace(`${ecdsa} root@m1\r\n`, ''))).toEqual([ed25519]);
    expect(hostKeysOnConsole('login:')).toEqual([]);
  });

  it('are nothing that ssh would take for more than a key', () => {
    expect(keysIn(`@cert-authority * ${ed25519}\n${ed25519}, more\n* ${ed25519}\n`)).toEqual([]);
    expect(keysIn(`ssh-ed25519 short\n${ed25519}\u00a0* x`)).toEqual([]);
  });

  it('replace those of their host, and of no other', () => {
    const before = withHostKeys(withHostKeys('', '10.0.0.4', [ed25519]), '10.0.0.40', [ecdsa]);
    expect(withHostKeys(before, '10.0.0.4', [ecdsa])).toBe(`10.0.0.40 ${ecdsa}\n10.0.0.4 ${ecdsa}\n`);
    expect(withHostKeys(before, '10.0.0.4', [])).toBe(`10.0.0.40 ${ecdsa}\n`);
  });

  it('are found by ssh itself in the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-known-'));
    try {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'host')]);
      const [key = ''] = keysIn(readFileSync(join(folder, 'host.pub'), 'utf8'));
      const file = join(folder, 'known hosts');
      execFileSync('tee', [file], {
        input: withHostKeys('', '10.0.0.4', [key]),
        stdio: ['pipe', 'ignore', 'inherit'],
      });
      const found = execFileSync('ssh-keygen', ['-F', '10.0.0.4', '-f', file], { encoding: 'utf8' });
      expect(found).toContain(key);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
