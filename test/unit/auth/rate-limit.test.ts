import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, networkOf } from '../../../shared/auth/rate-limit/address.ts';
import { type Bucket, take } from '../../../shared/auth/rate-limit/bucket.ts';
import { limiter } from '../../../shared/auth/rate-limit/limiter.ts';
import { limits } from '../../../shared/auth/rate-limit/limits.ts';
import { RateSetting } from '../../../shared/auth/rate-limit/rate-setting.ts';

const rates = fc.record({
  perSecond: fc.double({ min: 0.01, max: 1000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 1000 }),
});
/** Milliseconds between one request and the next, now and then backwards. */
const gaps = fc.array(fc.integer({ min: -50, max: 3000 }), { maxLength: 200 });

describe('a bucket', () => {
  it('never gives more than the burst and what has come since, in any stretch of time', () => {
    fc.assert(
      fc.property(rates, gaps, (rate, waits) => {
        let bucket: Bucket | undefined;
        let now = 1_000_000;
        let latest = now;
        const given: number[] = [];
        for (const wait of waits) {
          now += wait;
          latest = Math.max(latest, now);
          const taken = take(bucket, rate, now);
          bucket = taken.bucket;
          expect(bucket.left).toBeGreaterThanOrEqual(0);
          expect(bucket.left).toBeLessThanOrEqual(rate.burst);
          if (taken.wait === 0) given.push(latest);
        }
        given.forEach((from, first) => {
          given.slice(first).forEach((to, count) => {
            expect(count + 1).toBeLessThanOrEqual(rate.burst + ((to - from) * rate.perSecond) / 1000 + 1e-3);
          });
        });
      }),
    );
  });

  it('gives one after the wait that it told, and not a burst before', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 2000 }), (rate, requests) => {
        let bucket: Bucket | undefined;
        let wait = 0;
        for (let request = 0; request < requests && wait === 0; request += 1)
          ({ bucket, wait } = take(bucket, rate, 0));
        if (wait === 0) return;
        expect(take(bucket, rate, wait).wait).toBe(0);
        expect(take(bucket, rate, Math.max(0, wait - 2)).wait).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a limiter', () => {
  it('counts callers apart, in memory that does not grow', () => {
    let now = 0;
    const limit = limiter({ perSecond: 1, burst: 2 }, () => new Date(now), 100);
    expect([limit.take('a'), limit.take('a'), limit.take('a'), limit.take('b')]).toEqual([0, 0, 1000, 0]);
    expect([limit.look('a'), limit.look('b'), limit.look('c')]).toEqual([1000, 0, 0]);
    now = 400;
    expect(limit.take('a')).toBe(600);
    for (let other = 0; other < 10_000; other += 1) {
      limit.take(`other ${other}`);
      // Who comes all the time is not forgotten for others.
      expect(limit.look('a')).toBeGreaterThan(0);
      limit.take('a');
    }
    expect(limit.size).toBe(100);
  });

  it('of wrong credentials refuses before they are checked, and of others lets them through', () => {
    const wrong = { perSecond: 0.1, burst: 2 };
    const limit = limits(
      { principal: undefined, address: undefined, failedLogins: wrong },
      () => new Date(0),
    );
    limit.failedLogin('10.0.0.1');
    expect(() => limit.login('10.0.0.1')).not.toThrow();
    limit.failedLogin('10.0.0.1');
    expect(() => limit.login('10.0.0.1')).toThrow(expect.objectContaining({ status: 429, afterSeconds: 10 }));
    expect(() => limit.login('10.0.0.2')).not.toThrow();
    for (let request = 0; request < 1000; request += 1) limit.principal('x');
  });
});

describe('addresses', () => {
  it.each([
    [null, undefined],
    ['', undefined],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3:50123', '10.1.2.3'],
    ['6.6.6.6, 10.1.2.3:50123', '10.1.2.3'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['[::ffff:127.0.0.1]:9', '127.0.0.1'],
  ])('%j is %j: the nearest proxy says it', (header, address) => {
    expect(addressOf(header)).toBe(address);
  });

  it('of one IPv6 subscriber are one', () => {
    expect(networkOf('2001:db8:0:1:a::1')).toBe(networkOf('2001:0db8::1:b:c:d:e'));
    expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(networkOf('2001:db8:1::')).not.toBe(networkOf('2001:db8:2::'));
    expect([networkOf('10.0.0.1'), networkOf('what?'), networkOf(undefined)]).toEqual([
      '10.0.0.1',
      'what?',
      '',
    ]);
  });
});

it.each(['500/5000', '0.5/100'])('the setting %s is a rate', (text) => {
  expect(RateSetting.parse(text)).toEqual({
    perSecond: Number(text.split('/')[0]),
    burst: Number(text.split('/')[1]),
  });
});
it.each(['', '5', '0/10', '5/0', '-1/5', 'x/y'])('the setting %j is refused', (text) => {
  expect(RateSetting.safeParse(text).success).toBe(false);
});
it('the setting off is no limit', () => expect(RateSetting.parse('off')).toBeUndefined());
