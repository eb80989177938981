import { Terminal } from '../model/errors.ts';
import { BlobConflict, type Blobs } from '../state/blobs.ts';
import { type MasterKey, masterKey, seal, unseal } from './seal.ts';
import type { Secret } from './secret.ts';
import type { Secrets } from './secrets.ts';

/** 32 bytes each, in base64. `previous` opens what it sealed and seals nothing any more. */
export interface MasterKeys {
  readonly current: Secret<string>;
  readonly previous: Secret<string> | undefined;
}

/** Secrets as blobs of a container of their own, each sealed under the master key with its name. */
export function blobSecrets(blobs: Blobs, masterKeys: MasterKeys): Secrets {
  let imported: Promise<readonly [MasterKey, ...MasterKey[]]> | undefined;
  const keys = () => {
    imported ??= importKeys(masterKeys);
    return imported;
  };

  /** A record of the previous key is sealed anew as it is read, so that the previous key can go. */
  const open: Secrets['open'] = async (name) => {
    const found = await blobs.read(checked(name));
    if (found === undefined) return undefined;
    const [current, ...others] = await keys();
    const { value, key } = await unseal([current, ...others], name, found.bytes);
    if (key !== current)
      await unlessOthersWere(blobs.put(name, await seal(current, name, value), { ifMatch: found.info.etag }));
    return value;
  };

  return {
    open,
    async ensure(name, make) {
      const found = await open(name);
      if (found !== undefined) return found;
      const made = await make();
      const [current] = await keys();
      const won = await unlessOthersWere(
        blobs.put(checked(name), await seal(current, name, made), { ifNoneMatch: '*' }),
      );
      if (won) return made;
      const theirs = await open(name);
      if (theirs === undefined) throw new Error(`the secret ${name} was removed while it was made`);
      return theirs;
    },
    async seal(name, value) {
      const [current] = await keys();
      await blobs.put(checked(name), await seal(current, name, value));
    },
    async remove(name) {
      await blobs.delete(checked(name));
    },
    async *names(prefix) {
      for await (const { name } of blobs.list(prefix)) yield name;
    },
  };
}

async function importKeys({ current, previous }: MasterKeys): Promise<readonly [MasterKey, ...MasterKey[]]> {
  const others = previous === undefined ? [] : [await masterKey(previous.reveal())];
  return [await masterKey(current.reveal()), ...others];
}

/** @returns false if another instance wrote first */
async function unlessOthersWere(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof BlobConflict) return false;
    throw error;
  }
}

function checked(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/.test(name)) return name;
  throw new Terminal({
    code: 'secret-name-invalid',
    message: `"${name}" cannot name a secret: expected letters, digits, "-", "_" and "." in parts divided by "/".`,
    remedy: 'Choose a name such as hooks/github.',
  });
}
