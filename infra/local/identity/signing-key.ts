import { join } from 'node:path';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK_RSA_Private,
  type JWK_RSA_Public,
} from 'jose';
import { z } from 'zod';
import { readIfThere, writePrivateFile } from '../platform-ca/private-file.ts';

/** The key that signs every token of this data centre. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** As the authority publishes it. */
  readonly published: JWK_RSA_Public & { readonly kid: string };
}

const text = z.string().min(1);
const RsaPrivate = z.object({
  kty: z.literal('RSA'),
  n: text,
  e: text,
  d: text,
  p: text,
  q: text,
  dp: text,
  dq: text,
  qi: text,
});

/** The key kept in `directory` as `signing-key.json` (JWK, mode 0600); made if there is none. */
export async function ensureSigningKey(directory: string): Promise<SigningKey> {
  const file = join(directory, 'signing-key.json');
  const found = await readIfThere(file);
  if (found !== undefined) return await signingKeyOf(RsaPrivate.parse(JSON.parse(found)));
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const made = RsaPrivate.parse(await exportJWK(privateKey));
  await writePrivateFile(file, `${JSON.stringify(made)}\n`);
  return await signingKeyOf(made);
}

async function signingKeyOf(secret: JWK_RSA_Private): Promise<SigningKey> {
  const open = { kty: 'RSA', n: secret.n, e: secret.e } as const;
  const id = await calculateJwkThumbprint(open);
  const [privateKey, publicKey] = await Promise.all([importJWK(secret, 'RS256'), importJWK(open, 'RS256')]);
  if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array)
    throw new TypeError('signing-key.json holds no RSA key');
  return { id, privateKey, publicKey, published: { ...open, kid: id, use: 'sig', alg: 'RS256' } };
}
