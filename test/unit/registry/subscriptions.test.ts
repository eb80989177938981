import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterFailure } from '../../../shared/events/retry-schedule.ts';
import { signStandardWebhook, verifyStandardWebhook } from '../../../shared/events/standard-webhooks.ts';
import type { Action } from '../../../shared/model/subscription.ts';
import { Subscription } from '../../../shared/model/subscription.ts';
import { refusalOfAddress } from '../../../shared/registry/subscriptions/addresses.ts';
import { allowedSink } from '../../../shared/registry/subscriptions/allowed-sink.ts';
import { audienceIn } from '../../../shared/registry/subscriptions/audience.ts';
import { refusalOf } from '../../../shared/registry/subscriptions/sink.webhook.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const vectors = new URL(
  '../../../../shared/reference/webhooks/signatures/standard-webhooks.json',
  import.meta.url,
);

describe('addresses', () => {
  test.each([
    '169.254.169.254',
    '168.63.129.16',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'fe80::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
  ])('%s is never a receiver', (address) => {
    expect(refusalOfAddress(address, true)).toBe(`${address} is no address for receivers`);
  });

  test.each([
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '127.0.0.1',
    '::1',
    'fd12::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
  ])('%s is one only where private addresses are allowed', (address) => {
    expect(refusalOfAddress(address, false)).toContain('private');
    expect(refusalOfAddress(address, true)).toBeUndefined();
  });

  test.each(['20.1.2.3', '172.15.0.1', '172.32.0.1', '2603:1030::1', '::ffff:20.1.2.3'])(
    '%s is public',
    (address) => {
      expect(refusalOfAddress(address, false)).toBeUndefined();
    },
  );
});

describe('sinks', () => {
  const webhook = (url: string, more = {}) => ({
    kind: 'webhook' as const,
    url,
    allowHttp: false,
    allowPrivate: false,
    ...more,
  });

  test.each([
    ['http://example.com/', {}, 'not https', '--allow-http'],
    ['https://user:word@example.com/', {}, 'user or password', 'subscriptions secret'],
    ['https://127.0.0.1/', {}, 'private', '--allow-private'],
    ['https://[::1]/', {}, 'private', '--allow-private'],
    // As the address of a URL it is 127.0.0.1.
    ['https://0x7f.1/', {}, 'private', '--allow-private'],
    ['https://2130706433/', {}, 'private', '--allow-private'],
    ['https://169.254.169.254/', {}, 'no address for receivers', 'no option allows it'],
    ['https://169.254.169.254/metadata', { allowPrivate: true }, 'no address for receivers', 'no option'],
  ])('%s is refused, with what helps', (url, more, why, helps) => {
    expect(refusalOf(webhook(url, more))?.why).toContain(why);
    expect(() => allowedSink(webhook(url, more), true)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/cannot be sent there/),
        remedy: expect.stringContaining(helps),
      }),
    );
  });

  test('what needs more than some repositories is refused to who administers those alone', () => {
    const topic = { kind: 'service-bus', topic: 'events' } as const;
    expect(() => allowedSink(topic, true)).not.toThrow();
    expect(() => allowedSink(webhook('https://example.com/'), false)).not.toThrow();
    for (const sink of [topic, webhook('https://example.com/', { allowPrivate: true })])
      expect(() => allowedSink(sink, false)).toThrow(/administer the whole registry/);
  });
});

test('who hears of what', () => {
  const subscription = (name: string, repositories: string[], actions: Action[]) =>
    Subscription.parse({
      name,
      repositories,
      actions,
      format: 'cloudevents',
      sink: { kind: 'service-bus', topic: 't' },
      createdAt: '2026-11-25T12:00:00.000Z',
    });
  const all = [
    subscription('every', ['**'], ['push', 'pull', 'delete', 'mount']),
    subscription('shop', ['shop/*', 'shop-*'], ['push']),
  ];
  expect(audienceIn(all, 'shop/web')('push')).toEqual(['every', 'shop']);
  expect(audienceIn(all, 'shop/web')('pull')).toEqual(['every']);
  expect(audienceIn(all, 'shop/web/x')('push')).toEqual(['every']);
});

describe('what becomes of an event that fails', () => {
  const at = new Date('2026-11-25T12:00:00Z');

  test('each failure waits at least as long as the one before, and there is an end', () => {
    let last = 0;
    for (let failures = 1; ; failures += 1) {
      const next = afterFailure(failures, at, at, {});
      if (next.next === 'give-up') {
        expect(failures).toBe(9);
        break;
      }
      expect(next.waitSeconds).toBeGreaterThanOrEqual(last);
      last = next.waitSeconds;
    }
  });

  test('a receiver may ask for more time, within bounds', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 8 }), (retryAfter, failures) => {
        const plain = afterFailure(failures, at, at, {});
        const asked = afterFailure(failures, at, at, { retryAfter });
        if (plain.next !== 'retry' || asked.next !== 'retry') throw new Error('given up');
        expect(asked.waitSeconds).toBe(Math.max(plain.waitSeconds, Math.min(retryAfter, 3600)));
      }),
    );
  });
});

describe('signed deliveries', () => {
  test.skipIf(!existsSync(vectors))('are signed as the published vectors are', async () => {
    interface Vector {
      name: string;
      secret: string;
      headers: Record<string, string>;
      payload: string;
      valid: boolean;
    }
    const file = JSON.parse(readFileSync(vectors, 'utf8')) as { vectors: Vector[] };
    let same = 0;
    for (const { valid, secret, headers, payload } of file.vectors) {
      const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
      if (!valid || id === undefined || signature === undefined) continue;
      const now = new Date(Number(timestamp) * 1000);
      const signed = await signStandardWebhook(id, bytes(payload), [secret], now);
      expect(signature.split(' ')).toContain(signed['webhook-signature']);
      same += 1;
    }
    expect(same).toBeGreaterThan(2);
  });

  test('each of several secrets proves them', async () => {
    const secrets = ['whsec_c2VjcmV0IG9uZQ==', 'whsec_c2VjcmV0IHR3bw=='];
    const now = new Date('2026-11-25T12:00:00.900Z');
    const headers = await signStandardWebhook('msg_1', bytes('{}'), secrets, now);
    const of = (name: string) => headers[name] ?? null;
    for (const secret of secrets)
      expect(await verifyStandardWebhook(of, bytes('{}'), [secret], now)).toBe('msg_1');
  });
});
