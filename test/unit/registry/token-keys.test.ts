import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rememberedTokens } from '../../../shared/registry/remembered-tokens.ts';
import {
  FRESH_MS,
  isRotationDue,
  type KeptKey,
  LONGEST_LIFE,
  PUBLISHED_MS,
  ROTATE_MS,
  removable,
  signingFirst,
} from '../../../shared/registry/token-keys/keyring.ts';
import type { TokenKey } from '../../../shared/registry/token-keys/token-key.ts';
import { sealedTokenKeys } from '../../../shared/registry/token-keys/token-keys.sealed.ts';
import { registryTokens } from '../../../shared/registry/tokens.ts';
import { Secret } from '../../../shared/secrets/secret.ts';
import { blobSecrets } from '../../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';

const START = Date.parse('2026-11-25T00:00:00Z');
const at = (ms: number) => new Date(START + ms);
const key = (id: string, madeAt: number): KeptKey => ({ id, jwk: {} as TokenKey, madeAt: at(madeAt) });
const ids = (keys: readonly KeptKey[]) => keys.map(({ id }) => id);

describe('which key signs', () => {
  it('the newest that is published for long enough, and the oldest where none is', () => {
    const keys = [key('b', 1_000_000), key('a', 0), key('c', 2_000_000)];
    expect(ids(signingFirst(keys, at(0)))[0]).toBe('a');
    expect(ids(signingFirst(keys, at(1_000_000 + PUBLISHED_MS - 1)))[0]).toBe('a');
    expect(ids(signingFirst(keys, at(1_000_000 + PUBLISHED_MS)))).toEqual(['b', 'a', 'c']);
    expect(signingFirst([], at(0))).toEqual([]);
  });

  it('is followed by another after 30 days', () => {
    expect(isRotationDue([key('a', 0)], at(ROTATE_MS - 1))).toBe(false);
    expect(isRotationDue([key('a', 0)], at(ROTATE_MS))).toBe(true);
    expect(isRotationDue([key('a', 0), key('b', ROTATE_MS)], at(ROTATE_MS))).toBe(false);
  });

  it('verifies for all instances as long as its tokens live, however stale their view is', () => {
    const gap = fc.integer({ min: 0, max: 3 * (PUBLISHED_MS + LONGEST_LIFE * 1000) });
    const stale = fc.integer({ min: 0, max: FRESH_MS });
    const life = fc.integer({ min: 0, max: LONGEST_LIFE * 1000 });
    fc.assert(
      fc.property(
        fc.array(gap, { maxLength: 6 }),
        gap,
        stale,
        stale,
        life,
        (gaps, later, seenA, seenB, used) => {
          let made = 0;
          const all = [
            key('0', 0),
            ...gaps.map((wait, index) => {
              made += wait;
              return key(String(index + 1), made);
            }),
          ];
          /** What storage holds at a moment: a timer removes whatever may go, as early as it may. */
          const stored = (now: number) => {
            const there = all.filter(({ madeAt }) => madeAt.getTime() <= START + now);
            const gone = removable(there, at(now));
            return there.filter((one) => !gone.includes(one));
          };
          const signedAt = later;
          const signer = signingFirst(stored(Math.max(0, signedAt - seenA)), at(signedAt))[0];
          const verifiedAt = signedAt + used;
          const known = stored(Math.max(0, verifiedAt - seenB));
          expect(ids(known)).toContain(signer?.id);
        },
      ),
    );
  });
});

describe('sealed keys', () => {
  const world = () => {
    let now = START;
    const blobs = memoryBlobs();
    const current = new Secret(randomBytes(32).toString('base64'));
    const secrets = blobSecrets(blobs, { current, previous: undefined });
    const instance = () => {
      const clock = () => new Date(now);
      const keys = sealedTokenKeys(secrets, clock);
      return { keys, tokens: registryTokens(keys, clock) };
    };
    const pass = (ms: number): void => {
      now += ms;
    };
    return { instance, blobs, pass };
  };

  it('instances that start together agree on the first', async () => {
    const { instance } = world();
    const instances = Array.from({ length: 5 }, instance);
    const tokens = await Promise.all(instances.map(({ tokens }) => tokens.issue('x', [], 300)));
    for (const token of tokens)
      for (const { tokens: other } of instances) expect(await other.verify(token)).toBeDefined();
    expect((await instances[0]!.tokens.jwks()).keys).toHaveLength(1);
  });

  it('rotate: the new one is published first, then signs; the old one goes after its last token', async () => {
    const { instance, pass } = world();
    const [a, b] = [instance(), instance()];
    const kidOf = (token: string) =>
      (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
    const first = await a.tokens.issue('x', [], 3600);
    await b.tokens.verify(first);
    pass(ROTATE_MS);
    await a.keys.care();
    expect((await a.tokens.jwks()).keys).toHaveLength(2);
    expect(kidOf(await a.tokens.issue('x', [], 300))).toBe(kidOf(first));
    pass(PUBLISHED_MS);
    const last = await b.tokens.issue('x', [], 3600);
    expect(kidOf(last)).not.toBe(kidOf(first));
    expect(await a.tokens.verify(last)).toBeDefined();
    await a.keys.care();
    expect((await a.tokens.jwks()).keys).toHaveLength(2);
    pass(LONGEST_LIFE * 1000 + 2 * FRESH_MS);
    await a.keys.care();
    expect((await a.tokens.jwks()).keys.map(({ kid }) => kid)).toEqual([kidOf(last)]);
  });

  it('replaced, all at once: their tokens are refused after a minute, new ones are taken at once', async () => {
    const { instance, pass } = world();
    const [a, b] = [instance(), instance()];
    const stolen = await a.tokens.issue('x', [], 3600);
    expect(await b.tokens.verify(stolen)).toBeDefined();
    await a.keys.replaceAll();
    expect(await a.tokens.verify(stolen)).toBeUndefined();
    pass(1_000);
    expect(await b.tokens.verify(await a.tokens.issue('x', [], 300))).toBeDefined();
    pass(FRESH_MS);
    expect(await b.tokens.verify(stolen)).toBeUndefined();
    expect((await b.tokens.jwks()).keys).toHaveLength(1);
  });

  it('unknown keys in tokens make an instance read once a second, not more', async () => {
    const { instance, blobs, pass } = world();
    const a = instance();
    const other = await world().instance().tokens.issue('x', [], 300);
    await a.tokens.verify(other);
    let reads = 0;
    const list = blobs.list.bind(blobs);
    Object.assign(blobs, {
      list: (...of: Parameters<typeof list>) => {
        reads += 1;
        return list(...of);
      },
    });
    pass(1_000);
    for (let attempt = 0; attempt < 20; attempt += 1) expect(await a.tokens.verify(other)).toBeUndefined();
    expect(reads).toBe(1);
  });

  it('are stored sealed, and what is published has no private part', async () => {
    const { instance, blobs } = world();
    const { tokens, keys } = instance();
    const [{ jwk }] = (await keys.list()) as [KeptKey];
    expect(JSON.stringify(await tokens.jwks())).not.toContain(jwk.d);
    expect((await tokens.jwks()).keys).toEqual([
      { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y, kid: expect.any(String), use: 'sig', alg: 'ES256' },
    ]);
    for await (const { name } of blobs.list('')) {
      const text = Buffer.from((await blobs.read(name))!.bytes).toString('latin1');
      expect(text).not.toContain(jwk.d);
    }
  });

  it('a token whose signature was checked before is still refused when it has expired or its key is gone', async () => {
    const { instance, pass } = world();
    const { keys, tokens } = instance();
    const token = await tokens.issue('x', [], 300);
    for (let time = 0; time < 3; time += 1)
      expect(await tokens.verify(token)).toEqual({ id: 'x', access: [] });
    pass(299_999);
    expect(await tokens.verify(token)).toBeDefined();
    pass(1);
    expect(await tokens.verify(token)).toBeUndefined();
    const other = await tokens.issue('x', [], 300);
    expect(await tokens.verify(other)).toBeDefined();
    await keys.replaceAll();
    expect(await tokens.verify(other)).toBeUndefined();
  });

  it('of many tokens the newest are remembered', () => {
    const said = { id: 'x', access: [], kid: 'k', expiresAt: 0 };
    const remembered = rememberedTokens(10);
    for (let token = 0; token < 100; token += 1) remembered.add(String(token), said);
    remembered.add('long'.repeat(2000), said);
    expect([remembered.get('89'), remembered.get('90'), remembered.get('long'.repeat(2000))]).toEqual([
      undefined,
      said,
      undefined,
    ]);
  });

  it('a token that would outlive its key is not made', async () => {
    await expect(
      world()
        .instance()
        .tokens.issue('x', [], LONGEST_LIFE + 1),
    ).rejects.toThrow(RangeError);
  });
});
