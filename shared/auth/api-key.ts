import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Brand } from '../model/brand.ts';
import { Role } from './permissions.ts';
import { RepositoryGrant } from './repository-grant.ts';

/**
 * `berth_<id>_<secret>`: the id finds the row, the secret is 32 random bytes in base64url. The prefix lets scanners of
 * repositories find keys that were committed by mistake.
 */
const shape = /^berth_(?<id>[a-z0-9]{1,40})_[A-Za-z0-9_-]{43}$/;

/** sha-256 of the whole key, 64 hex digits. Keys have 256 random bits, so a slow hash would add nothing. */
export type KeyHash = Brand<string, 'KeyHash'>;
export const KeyHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')
  .transform((text) => text as KeyHash);

/** A key as it is stored, in table `apikeys`: never the key itself. */
export const ApiKey = z.object({
  id: z.string(),
  hash: KeyHash,
  /** Absent: the key is for the registry alone. */
  role: Role.optional(),
  /** What it may do in the registry, in place of what the role gives there. */
  repositories: z.array(RepositoryGrant).optional(),
  /** What it is for, in its maker's words. */
  description: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** The id in a key's text; undefined if the text is no key. */
export const keyIdOf = (text: string): string | undefined => shape.exec(text)?.groups?.['id'];

export const hashKey = (text: string): KeyHash =>
  createHash('sha256').update(text, 'utf8').digest('hex') as KeyHash;

/** Whether the text is the key with this hash, in a time that says nothing of where they differ. */
export const isKey = (text: string, hash: KeyHash): boolean =>
  timingSafeEqual(Buffer.from(hashKey(text), 'hex'), Buffer.from(hash, 'hex'));

/** A new key's text; it is shown once and only its hash is kept. */
export const makeKey = (id: string = randomBytes(6).toString('hex')): string =>
  `berth_${id}_${randomBytes(32).toString('base64url')}`;
