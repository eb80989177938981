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
import { QueueSettings, TopicSettings } from '../../../infra/local/service-bus/queue.ts';

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

test('addresses name queues, subscriptions, their dead letters and their management, in either case', () => {
  const receiving = { maxDeliveryCount: 10, lockSeconds: 60 };
  const entities = {
    queues: [QueueSettings.parse({ name: 'commands', ...receiving, duplicateWindowSeconds: 0 })],
    topics: [
      TopicSettings.parse({
        name: 'events',
        duplicateWindowSeconds: 0,
        subscriptions: [{ name: 'all', ...receiving }],
      }),
    ],
  };
  const named = (address: string | undefined) => addressOf(address, entities);
  expect(named('$cbs')).toEqual({ kind: 'claims' });
  expect(named('Commands')).toMatchObject({ kind: 'entity', entity: { dead: false } });
  expect(named('commands/$DeadLetterQueue')).toMatchObject({ kind: 'entity', entity: { dead: true } });
  expect(named('commands/$deadletterqueue/$management')).toMatchObject({
    kind: 'management',
    of: { kind: 'entity', entity: { dead: true }, subscription: false },
  });
  expect(named('events')).toMatchObject({ kind: 'topic', topic: { name: 'events' } });
  expect(named('events/$management')).toMatchObject({ kind: 'management', of: { kind: 'topic' } });
  expect(named('events/Subscriptions/All/$management')).toMatchObject({
    kind: 'management',
    of: { entity: { queue: { name: 'events/subscriptions/all' }, dead: false }, subscription: true },
  });
  for (const address of [
    undefined,
    '',
    'other',
    'commands/other',
    '$management',
    'events/all',
    'events/$deadletterqueue',
    'events/subscriptions/other',
  ])
    expect(() => named(address)).toThrow(/could not be found/);
});

test("a lock token's tag has the first three groups reversed", () => {
  const token = '00112233-4455-6677-8899-aabbccddeeff';
  expect(tagOfToken(token).toString('hex')).toBe('33221100554477668899aabbccddeeff');
  expect(tokenOfTag(tagOfToken(token))).toBe(token);
  expect(tokenOfBytes(tokenBytes(token))).toBe(token);
});
