import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseOffering } from '../../../../shared/machines/offerings/choose-offering.ts';
import {
  type KnownSku,
  type Offering,
  offeringText,
} from '../../../../shared/machines/offerings/offering.ts';
import { rankOfferings, type Situation } from '../../../../shared/machines/offerings/rank-offerings.ts';
import { blocking, unavailableAfter } from '../../../../shared/machines/offerings/unavailable.ts';
import { refusalOf } from '../../../../shared/machines/refusals.ts';
import type { PoolSpec } from '../../../../shared/model/pool.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const minutesOn = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000);

const sku = (name: string, more: Partial<KnownSku> = {}): KnownSku => ({
  name: `Standard_${name}`,
  family: 'standardDSv5Family',
  cores: 2,
  memory: 8192,
  zones: ['1', '2', '3'],
  spot: true,
  ...more,
});
const D2 = sku('D2s_v5');
const D4 = sku('D4s_v5', { cores: 4, memory: 16_384 });
const E2 = sku('E2s_v5', { family: 'standardESv5Family', memory: 16_384 });

const rank = (spec: Partial<PoolSpec>, more: Partial<Situation> = {}) =>
  rankOfferings({
    spec: { sizes: ['Standard_D2s_v5', 'Standard_D4s_v5'], zones: [], spot: 'never', ...spec },
    skus: [D2, D4, E2],
    usages: undefined,
    unavailable: [],
    machines: [],
    coming: [],
    priceOf: () => undefined,
    now: NOW,
    ...more,
  });
const names = (ranked: ReturnType<typeof rank>) => ranked.offerings.map(offeringText);
const machinesIn = (...zones: string[]) =>
  zones.map((zone) => ({ zone, status: { state: 'ready', since: NOW.toISOString() } as const }));

describe('offerings of a pool', () => {
  it('are its sizes in their order; with spot preferred, spot before regular', () => {
    expect(names(rank({}))).toEqual(['Standard_D2s_v5', 'Standard_D4s_v5']);
    expect(names(rank({ spot: 'prefer' }))).toEqual([
      'Standard_D2s_v5, spot',
      'Standard_D2s_v5',
      'Standard_D4s_v5, spot',
      'Standard_D4s_v5',
    ]);
    expect(names(rank({ spot: 'only', sizes: ['Standard_D4s_v5'] }))).toEqual(['Standard_D4s_v5, spot']);
  });

  it('are in the zone with the fewest machines first, then in the order of the pool', () => {
    const of = (...zones: string[]) =>
      names(rank({ sizes: ['Standard_D2s_v5'], zones: ['2', '1', '3'] }, { machines: machinesIn(...zones) }));
    expect(of()[0]).toBe('Standard_D2s_v5 in zone 2');
    expect(of('2', '1')[0]).toBe('Standard_D2s_v5 in zone 3');
    expect(of('2', '1', '3')[0]).toBe('Standard_D2s_v5 in zone 2');
    expect(of('2', '2', '3')).toEqual([1, 3, 2].map((zone) => `Standard_D2s_v5 in zone ${zone}`));
  });

  it('leave out what the region or the subscription does not have, and say why', () => {
    const ranked = rank(
      { sizes: ['Standard_X', 'Standard_D2s_v5', 'Standard_E2s_v5'], zones: ['1', '3'], spot: 'prefer' },
      {
        skus: [
          sku('D2s_v5', { restricted: 'NotAvailableForSubscription' }),
          { ...E2, zones: ['1'], spot: false },
        ],
      },
    );
    expect(names(ranked)).toEqual(['Standard_E2s_v5 in zone 1']);
    expect(ranked.passed).toEqual([
      { offering: 'Standard_X', reason: 'the region does not offer it' },
      {
        offering: 'Standard_D2s_v5',
        reason: 'this subscription may not have it in the region (NotAvailableForSubscription)',
      },
      { offering: 'Standard_E2s_v5 in zone 1, spot', reason: 'it is not to be had as a spot machine' },
      { offering: 'Standard_E2s_v5 in zone 3, spot', reason: 'it is not to be had in zone 3: it is in 1' },
      { offering: 'Standard_E2s_v5 in zone 3', reason: 'it is not to be had in zone 3: it is in 1' },
    ]);
  });

  it('leave out what a quota has no room for, counting what is on its way', () => {
    const usages = (current: number, name = 'standardDSv5Family') => ({
      at: NOW,
      of: [{ name, current, limit: 10 }],
    });
    expect(names(rank({}, { usages: usages(7) }))).toEqual(['Standard_D2s_v5']);
    const one = { family: 'standardDSv5Family', priority: 'regular', cores: 2 } as const;
    expect(names(rank({}, { usages: usages(6), coming: [one] }))).toEqual(['Standard_D2s_v5']);
    expect(names(rank({}, { usages: usages(6), coming: [{ ...one, priority: 'spot' }] }))).toHaveLength(2);
    expect(names(rank({}, { usages: usages(9, 'cores') }))).toEqual([]);
    expect(rank({}, { usages: usages(9) }).passed[0]).toEqual({
      offering: 'Standard_D2s_v5',
      reason: expect.stringMatching(
        /^the quota standardDSv5Family has 10 cores, 9 are in use, and it needs 2: ask for more at https:/,
      ),
    });
    // Spot machines have a quota of their own.
    expect(names(rank({ spot: 'prefer' }, { usages: usages(10, 'cores') }))).toEqual([
      'Standard_D2s_v5, spot',
      'Standard_D4s_v5, spot',
    ]);
    expect(names(rank({ spot: 'prefer' }, { usages: usages(10, 'lowPriorityCores') }))).toEqual([
      'Standard_D2s_v5',
      'Standard_D4s_v5',
    ]);
  });

  it('are chosen large enough and affordable, or every reason is told', () => {
    const ranked = rank({}, { priceOf: (size) => ({ Standard_D2s_v5: 0.1, Standard_D4s_v5: 0.2 })[size] });
    expect(chooseOffering(ranked, { cpu: 3, memory: 0 })).toMatchObject({
      size: 'Standard_D4s_v5',
      hourly: 0.2,
    });
    expect(chooseOffering(ranked, { cpu: 0, memory: 0 }, 0.1)).toMatchObject({ size: 'Standard_D2s_v5' });
    expect(chooseOffering(ranked, { cpu: 3, memory: 0 }, 0.15)).toEqual({
      reason:
        'Standard_D2s_v5: it has room for 2 cores and 7372 MiB; Standard_D4s_v5: it costs $0.2/h, and the hourlyLimit of the pool leaves $0.1500/h',
    });
    expect(chooseOffering(rank({}), { cpu: 0, memory: 0 }, 1)).toEqual({
      reason: expect.stringContaining('its price is not known here'),
    });
  });
});

/** What Azure answers, with the words of its own messages. */
const quota = (name: string, limit: number, usage: number) =>
  `Operation could not be completed as it results in exceeding approved ${name} quota. Additional details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: ${limit}, Current Usage: ${usage}, Additional Required: 4, (Minimum) New Limit Required: ${usage + 4}.`;
const blockAfter = (code: string, message: string, offering: Offering) => {
  const { shortage, reason } = refusalOf(code, message);
  return shortage && unavailableAfter(shortage, offering, { now: NOW, reason, machine: 'default-b' });
};
const offering = (of: KnownSku, more: Partial<Offering> = {}): Offering => ({
  size: of.name,
  priority: 'regular',
  family: of.family,
  cores: of.cores,
  cpu: of.cores,
  memory: of.memory,
  ...more,
});

describe('what Azure refuses', () => {
  it.each([
    ['a family', 'QuotaExceeded', quota('standardDSv5Family Cores', 10, 8), 10, [D4], [D2, E2]],
    [
      'a family that has none',
      'OperationNotAllowed',
      quota('standardDSv5Family Cores', 0, 0),
      60,
      [D2, D4],
      [E2],
    ],
    ['the region', 'OperationNotAllowed', quota('Total Regional Cores', 10, 8), 10, [D2, D4, E2], []],
    ['a size', 'SkuNotAvailable', 'x', 23 * 60, [D4], [D2, E2]],
    ['room for a size', 'AllocationFailed', 'x', 60, [D4], [D2, E2]],
    ['what many constraints allow', 'OverconstrainedAllocationRequest', 'x', 60, [D4], [D2, E2]],
  ])('for want of %s is not asked again for its time', (_what, code, message, minutes, blocked, free) => {
    const block = blockAfter(code, message, offering(D4));
    const at = (one: KnownSku, moment: Date) =>
      blocking(offering(one), block ? [block] : [], moment) !== undefined;
    for (const one of blocked) {
      expect(at(one, minutesOn(minutes - 1))).toBe(true);
      expect(at(one, minutesOn(minutes))).toBe(false);
    }
    for (const one of free) expect(at(one, NOW)).toBe(false);
    expect(blocking(offering(D4, { priority: 'spot' }), block ? [block] : [], NOW)).toBeUndefined();
  });

  it('of spot machines leaves regular ones, and the other way round', () => {
    const spot = offering(D4, { priority: 'spot' });
    const quotaBlock = blockAfter('OperationNotAllowed', quota('LowPriorityCores', 3, 0), spot);
    expect(quotaBlock?.scope).toEqual({ kind: 'priority', priority: 'spot', cores: 4 });
    const size = blockAfter('SkuNotAvailable', 'x', spot);
    expect(size?.until).toBe(minutesOn(60).toISOString());
    for (const block of [quotaBlock!, size!]) {
      expect(blocking(spot, [block], NOW)).toBe(block);
      expect(blocking(offering(D4), [block], NOW)).toBeUndefined();
    }
  });

  it('in a zone leaves the other zones; larger sizes of the family go with it where there is no room', () => {
    const inZone = (of: KnownSku, zone: string) => offering(of, { zone });
    const failed = [blockAfter('ZonalAllocationFailed', 'x', inZone(D2, '1'))!];
    expect(blocking(inZone(D2, '1'), failed, NOW)).toBeDefined();
    expect(blocking(inZone(D4, '1'), failed, NOW)).toBeDefined();
    expect(blocking(inZone(D2, '2'), failed, NOW)).toBeUndefined();
    const narrow = [blockAfter('OverconstrainedZonalAllocationRequest', 'x', inZone(D2, '1'))!];
    expect(blocking(inZone(D2, '1'), narrow, NOW)).toBeDefined();
    expect(blocking(inZone(D4, '1'), narrow, NOW)).toBeUndefined();
  });

  it('is told with the quota, its limit, its usage and where to ask for more', () => {
    expect(refusalOf('QuotaExceeded', quota('standardDSv5Family Cores', 10, 8))).toMatchObject({
      code: 'quota-exceeded',
      answer: 'next-size',
      remedy: expect.stringMatching(
        /^Ask Azure for more of the quota standardDSv5Family in westeurope \(limit 10 cores, 8 in use\), at least 12 cores: https:\/\/portal\.azure\.com\//,
      ),
    });
  });

  it('leaves at last another offering, or none: never one that is blocked', () => {
    const codes = fc.constantFrom(
      ['SkuNotAvailable', 'x'],
      ['ZonalAllocationFailed', 'x'],
      ['OverconstrainedZonalAllocationRequest', 'x'],
      ['OperationNotAllowed', quota('LowPriorityCores', 3, 2)],
      ['QuotaExceeded', quota('standardDSv5Family Cores', 10, 8)],
      ['OperationNotAllowed', quota('Total Regional Cores', 10, 8)],
    );
    fc.assert(
      fc.property(fc.array(codes, { minLength: 24, maxLength: 24 }), (refusals) => {
        const blocks: NonNullable<ReturnType<typeof blockAfter>>[] = [];
        const seen = new Set<string>();
        for (const [code = '', message = ''] of refusals) {
          const spec = { spot: 'prefer', zones: ['1', '2', '3'] } as const;
          const ranked = rank({ ...spec, zones: [...spec.zones] }, { unavailable: blocks });
          const chosen = chooseOffering(ranked, { cpu: 0, memory: 0 });
          if ('reason' in chosen) return;
          // Quotas are those of the priority that was asked for.
          const isSpotQuota = message.includes('LowPriority');
          const isQuota = message !== 'x';
          if (isQuota && isSpotQuota !== (chosen.priority === 'spot')) continue;
          expect(seen.has(offeringText(chosen))).toBe(false);
          seen.add(offeringText(chosen));
          blocks.push(blockAfter(code, message, chosen)!);
        }
        expect(seen.size).toBeLessThanOrEqual(12);
      }),
    );
  });
});
