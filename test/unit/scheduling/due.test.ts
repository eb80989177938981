import { describe, expect, test } from 'vitest';
import { latestDue } from '../../../shared/scheduling/due.ts';

const due = (cron: string, after: string, now: string, timeZone = 'UTC') =>
  latestDue({ cron, timeZone }, new Date(after), new Date(now))?.toISOString();

describe('latestDue', () => {
  test('is due at the very second, and not before', () => {
    expect(due('0 12 * * *', '2026-11-25T00:00:00Z', '2026-11-25T11:59:59.999Z')).toBeUndefined();
    expect(due('0 12 * * *', '2026-11-25T00:00:00Z', '2026-11-25T12:00:00Z')).toBe(
      '2026-11-25T12:00:00.000Z',
    );
  });

  test('once it was made an event it is not due again', () => {
    expect(due('0 12 * * *', '2026-11-25T12:00:00Z', '2026-11-25T12:00:10Z')).toBeUndefined();
  });

  test('of several missed times the latest counts', () => {
    expect(due('*/5 * * * *', '2026-11-25T00:00:00Z', '2026-11-25T03:07:00Z')).toBe(
      '2026-11-25T03:05:00.000Z',
    );
  });

  test('six fields begin with seconds', () => {
    expect(due('*/10 * * * * *', '2026-11-25T00:00:00Z', '2026-11-25T00:00:25Z')).toBe(
      '2026-11-25T00:00:20.000Z',
    );
  });

  test('hours are those of the zone, in summer and winter', () => {
    const paris = 'Europe/Paris';
    expect(due('0 9 * * *', '2026-07-01T00:00:00Z', '2026-07-01T10:00:00Z', paris)).toBe(
      '2026-07-01T07:00:00.000Z',
    );
    expect(due('0 9 * * *', '2026-12-01T00:00:00Z', '2026-12-01T10:00:00Z', paris)).toBe(
      '2026-12-01T08:00:00.000Z',
    );
  });

  test('an hour that happens twice brings a daily run once', () => {
    const [after, now] = ['2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z'];
    const first = due('30 2 * * *', after, now, 'Europe/Paris') ?? '';
    expect(due('30 2 * * *', first, now, 'Europe/Paris')).toBeUndefined();
  });

  test('a malformed schedule says how to write one', () => {
    expect(() => due('often', '2026-11-25T00:00:00Z', '2026-11-25T12:00:00Z')).toThrow(
      /"often" in zone "UTC"/,
    );
    expect(() => due('0 9 * * *', '2026-11-25T00:00:00Z', '2026-11-25T12:00:00Z', 'Mars')).toThrow(/Mars/);
  });
});
