import { documents } from '../state/documents.ts';
import type { Tables } from '../state/tables.ts';
import { ApiKey, hashKey, isKey, type KeyHash, keyIdOf, makeKey } from './api-key.ts';
import type { Credentials } from './credentials.ts';
import type { Role } from './permissions.ts';
import type { RepositoryGrant } from './repository-grant.ts';

const PARTITION = 'key';

/** API keys in table `apikeys`, and the admin key whose hash the deployment set. */
export interface KeyStore extends Credentials {
  /** @returns the key's text, which is not kept, and what is. */
  create(
    role: Role | undefined,
    description: string,
    expiresAt?: string,
    repositories?: readonly RepositoryGrant[],
  ): Promise<{ text: string; key: ApiKey }>;
  list(): Promise<ApiKey[]>;
  /** A key that is not there is revoked already. */
  revoke(id: string): Promise<void>;
}

export function keyStore(tables: Tables, adminKeyHash: string, now: () => Date = () => new Date()): KeyStore {
  const keys = documents(tables, 'apikeys', ApiKey);
  return {
    async check(_user, text) {
      const id = keyIdOf(text);
      if (id === undefined) return undefined;
      if (isKey(text, adminKeyHash as KeyHash)) return { id: 'admin', roles: ['admin'] };
      const key = (await keys.get(PARTITION, id))?.value;
      if (key === undefined || !isKey(text, key.hash)) return undefined;
      if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= now().getTime()) return undefined;
      const { role, repositories } = key;
      const roles = role === undefined ? [] : [role];
      // A key without a role is for the registry alone, and without grants for nothing.
      return repositories === undefined && role !== undefined
        ? { id, roles }
        : { id, roles, repositories: repositories ?? [] };
    },
    async create(role, description, expiresAt, repositories) {
      const text = makeKey();
      const key: ApiKey = {
        id: keyIdOf(text) ?? '',
        hash: hashKey(text),
        ...(role === undefined ? {} : { role }),
        ...(repositories === undefined ? {} : { repositories: [...repositories] }),
        description,
        createdAt: now().toISOString(),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      };
      await keys.insert(PARTITION, key.id, key);
      return { text, key };
    },
    async list() {
      const found: ApiKey[] = [];
      for await (const { value } of keys.list({ partition: PARTITION })) found.push(value);
      return found;
    },
    revoke: (id) => keys.delete(PARTITION, id),
  };
}
