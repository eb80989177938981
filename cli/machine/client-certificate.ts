import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { issueClientCertificate } from '../../shared/api/routes/by-hand.ts';
import type { Client } from '../client.ts';
import type { DataFolder } from './data-folder.ts';
import { readIfThere, writeIfAbsent, writeWhole } from './private-file.ts';

/** With which the user's docker comes to the engines of an installation's machines, PEM. */
export interface ClientCertificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface EnsuredCertificate extends ClientCertificate {
  /** Whether it is another than before. */
  readonly isNew: boolean;
}

/**
 * The user's certificate; got, or got anew, where there is none, half of its time is over, or it is of another
 * authority or caller than the connection's. Its key is made here and stays here.
 * @throws Failure what the API answered
 */
export async function ensureClientCertificate(
  client: Client,
  folder: DataFolder,
  anew = false,
  now: number = Date.now(),
): Promise<EnsuredCertificate> {
  const kept = readClientCertificate(folder);
  const owner = ownerOf(client);
  if (!anew && kept !== undefined && readIfThere(ownerFile(folder)) === owner && !isAging(kept.cert, now))
    return { ...kept, isNew: false };
  const key = ensureKey(folder);
  const publicKey = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'pem' }).toString();
  const { certificate, ca } = await client.call(issueClientCertificate, { json: { publicKey } });
  const file = (name: string) => join(folder.certificates, `${name}.pem`);
  writeWhole(file('ca'), ca);
  writeWhole(file('cert'), certificate);
  writeWhole(ownerFile(folder), owner);
  return { ca, cert: certificate, key, isNew: true };
}

/** What is kept; undefined if that is not all of it, or not of one key. */
export function readClientCertificate(folder: DataFolder): ClientCertificate | undefined {
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) =>
    readIfThere(join(folder.certificates, `${name}.pem`)),
  );
  if (ca === undefined || cert === undefined || key === undefined) return undefined;
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { ca, cert, key } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether more than half of its time is over: docker itself renews nothing, so there should be time left always. */
export function isAging(pem: string, now: number): boolean {
  const { validFrom, validTo } = new X509Certificate(pem);
  const [begin, end] = [Date.parse(validFrom), Date.parse(validTo)];
  return now >= begin + (end - begin) / 2;
}

/** Written last: without it, the rest is of an attempt that did not end. */
const ownerFile = (folder: DataFolder): string => join(folder.certificates, 'owner');

/** Changes where the installation behind the address, or the caller, is another one. */
const ownerOf = ({ connection }: Client): string =>
  createHash('sha256')
    .update(JSON.stringify([connection.url.origin, connection.ca ?? '', connection.key]))
    .digest('hex');

/** The key stays the same for all certificates: whoever reads while one is replaced finds a pair that fits. */
function ensureKey(folder: DataFolder): string {
  const file = join(folder.certificates, 'key.pem');
  const kept = readIfThere(file);
  if (kept !== undefined && isKey(kept)) return kept;
  if (kept !== undefined) rmSync(file);
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  // Another command may make one at this moment: that of the first counts.
  return writeIfAbsent(file, key) ? key : ensureKey(folder);
}

function isKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}
