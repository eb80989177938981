import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Secrets } from '../../secrets/secrets.ts';
import { FRESH_MS, isRotationDue, type KeptKey, removable, signingFirst } from './keyring.ts';
import { makeTokenKey, TokenKey, type TokenKeys } from './token-key.ts';

const PREFIX = 'registry/token-keys/';
/** The very first key has a fixed name: instances that start together agree on one. */
const FIRST = `${PREFIX}first`;
/** A token that names an unknown key makes an instance read again, but not more often than this, milliseconds. */
const ASK_AGAIN_MS = 1_000;

const Sealed = z.object({ jwk: TokenKey, madeAt: z.iso.datetime() });

/** The keys of all instances, and what is done to them. */
export interface KeptTokenKeys extends TokenKeys {
  /** As they are stored now, the signing one first. */
  list(): Promise<readonly KeptKey[]>;
  /** Makes a key, which signs as soon as every instance knows it. */
  rotate(): Promise<KeptKey>;
  /** Makes a key that signs at once, and removes all others: no instance takes their tokens after a minute. */
  replaceAll(): Promise<KeptKey>;
  /** What a timer does: rotates if it is time, and removes what no token needs. */
  care(): Promise<void>;
}

/** Keys sealed as secrets `registry/token-keys/…`; the first is made when one is first asked for. */
export function sealedTokenKeys(secrets: Secrets, now: () => Date): KeptTokenKeys {
  let read: { readonly at: number; readonly kept: Promise<readonly KeptKey[]> } | undefined;

  const sealedKey = async (): Promise<{ bytes: Uint8Array; jwk: TokenKey; madeAt: Date }> => {
    const [jwk, madeAt] = [await makeTokenKey(), now()];
    const text = JSON.stringify({ jwk, madeAt: madeAt.toISOString() } satisfies z.infer<typeof Sealed>);
    return { bytes: new TextEncoder().encode(text), jwk, madeAt };
  };
  const parse = (id: string, bytes: Uint8Array): KeptKey => {
    const { jwk, madeAt } = Sealed.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return { id, jwk, madeAt: new Date(madeAt) };
  };
  const list = async (): Promise<readonly KeptKey[]> => {
    const found: KeptKey[] = [];
    for await (const id of secrets.names(PREFIX)) {
      const bytes = await secrets.open(id);
      if (bytes !== undefined) found.push(parse(id, bytes));
    }
    if (found.length === 0)
      found.push(parse(FIRST, await secrets.ensure(FIRST, async () => (await sealedKey()).bytes)));
    return signingFirst(found, now());
  };
  const rotate = async (): Promise<KeptKey> => {
    const { bytes, jwk, madeAt } = await sealedKey();
    const id = `${PREFIX}${madeAt.getTime()}-${randomBytes(4).toString('hex')}`;
    await secrets.seal(id, bytes);
    read = undefined;
    return { id, jwk, madeAt };
  };

  return {
    async keys(missing) {
      const at = now().getTime();
      const age = read === undefined ? Number.POSITIVE_INFINITY : Math.abs(at - read.at);
      if (read === undefined || age >= FRESH_MS || (missing !== undefined && age >= ASK_AGAIN_MS)) {
        const reading = { at, kept: list() };
        read = reading;
        // A failure is not kept: the next request tries again.
        reading.kept.catch(() => {
          if (read === reading) read = undefined;
        });
      }
      const [signing, ...others] = signingFirst(await read.kept, now());
      if (signing === undefined) throw new Error('there is no key, though one was made');
      return [signing.jwk, ...others.map(({ jwk }) => jwk)];
    },
    list,
    rotate,
    async replaceAll() {
      const before = await list();
      const made = await rotate();
      for (const { id } of before) await secrets.remove(id);
      read = undefined;
      return made;
    },
    async care() {
      const kept = await list();
      if (isRotationDue(kept, now())) await rotate();
      for (const { id } of removable(kept, now())) await secrets.remove(id);
      read = undefined;
    },
  };
}
