import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Signs what `client-certificates` of the API would sign, with openssl: a day, for a client. */
export function clientAuthority() {
  const openssl = (folder: string, words: string) =>
    execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'ignore' });
  const inFolder = <T>(work: (folder: string) => T): T => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-authority-'));
    try {
      return work(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const ec = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  const own = inFolder((folder) => {
    openssl(folder, `req -x509 ${ec} -keyout key -out ca -days 30 -subj /CN=ca`);
    return { ca: readFileSync(join(folder, 'ca'), 'utf8'), key: readFileSync(join(folder, 'key'), 'utf8') };
  });
  return {
    sign: (publicKey: string) =>
      inFolder((folder) => {
        for (const [name, text] of Object.entries({ ...own, public: publicKey }))
          writeFileSync(join(folder, name), text);
        openssl(folder, `req -new ${ec} -keyout other -out csr -subj /CN=me`);
        openssl(folder, 'x509 -req -in csr -CA ca -CAkey key -force_pubkey public -days 1 -out cert');
        const certificate = readFileSync(join(folder, 'cert'), 'utf8');
        return { certificate, ca: own.ca, serial: '01', notAfter: '2026-11-26T00:00:00Z', subject: 'me' };
      }),
  };
}
