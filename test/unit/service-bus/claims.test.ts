import { expect, test } from 'vitest';
import type { Verifier } from '../../../infra/local/identity/verifier.ts';
import { addressOf } from '../../../infra/local/service-bus/addresses.ts';
import { claimsOf } from '../../../infra/local/service-bus/claims.ts';
import {
  tagOfToken,
  tokenBytes,
  tokenOfBytes,
  tokenOfTag,
} from '../../../infra/local/service-bus/lock-token.ts';
import { QueueSettings } from '../../../infra/local/service-bus/queue.ts';

const verify: Verifier = async (token) => {
  if (token !== 'good') throw new Error('bad signature');
  return {
    aud: 'https://servicebus.azure.net',
    exp: 100,
    appid: '',
    oid: '',
    tid: '',
    xms_mirid: '',
    xms_az_rid: '',
  };
};

test('a claim covers its entity and what is under it, until it expires', async () => {
  let now = 0;
  const claims = claimsOf(verify, () => now);
  expect(claims.allow('commands')).toBe(false);
  await claims.put('sb://host/Commands', 'jwt', 'good');
  for (const path of ['commands', 'commands/$management', 'commands/$deadletterqueue'])
    expect(claims.allow(path)).toBe(true);
  expect(claims.allow('commands2')).toBe(false);
  expect(claims.nextExpiry()).toBe(100_000);
  now = 100_000;
  expect(claims.allow('commands')).toBe(false);
  expect(claims.nextExpiry()).toBeUndefined();
});

test('a claim on the namespace covers all of it', async () => {
  const claims = claimsOf(verify, () => 0);
  await claims.put('sb://host/', 'jwt', 'good');
  expect(claims.allow('anything/$management')).toBe(true);
});

test.each([
  { name: 'sb://host/q', type: 'jwt', token: 'forged', message: /bad signature/ },
  { name: 'sb://host/q', type: 'servicebus.windows.net:sastoken', token: 'good', message: /disabled/ },
  { name: 'q', type: 'jwt', token: 'good', message: /no address/ },
])('$type $token for $name is refused', async ({ name, type, token, message }) => {
  const claims = claimsOf(verify, () => 0);
  await expect(claims.put(name, type, token)).rejects.toThrow(message);
  expect(claims.allow('q')).toBe(false);
});

test('addresses name queues, their dead letters and their management, in either case', () => {
  const queue = QueueSettings.parse({
    name: 'commands',
    maxDeliveryCount: 10,
    lockSeconds: 60,
    duplicateWindowSeconds: 0,
  });
  expect(addressOf('$cbs', [queue])).toEqual({ kind: 'claims' });
  expect(addressOf('Commands', [queue])).toMatchObject({ kind: 'entity', entity: { dead: false } });
  expect(addressOf('commands/$DeadLetterQueue', [queue])).toMatchObject({
    kind: 'entity',
    entity: { dead: true },
  });
  expect(addressOf('commands/$deadletterqueue/$management', [queue])).toMatchObject({
    kind: 'management',
    entity: { dead: true },
  });
  for (const address of [undefined, '', 'other', 'commands/other', '$management'])
    expect(() => addressOf(address, [queue])).toThrow(/could not be found/);
});

test("a lock token's tag has the first three groups reversed", () => {
  const token = '00112233-4455-6677-8899-aabbccddeeff';
  expect(tagOfToken(token).toString('hex')).toBe('33221100554477668899aabbccddeeff');
  expect(tokenOfTag(tagOfToken(token))).toBe(token);
  expect(tokenOfBytes(tokenBytes(token))).toBe(token);
});
