import { describe, expect, it } from 'vitest';
import { AcmeRecord } from '../../../shared/ingress/certificates/acme-store.ts';
import {
  dueHosts,
  forgettableHosts,
  pauseAfterFailures,
  renewalAt,
} from '../../../shared/ingress/certificates/obtain.ts';

const now = new Date('2026-11-30T12:00:00Z');
const record = (host: string, more: object): AcmeRecord =>
  AcmeRecord.parse({ host, state: 'valid', nextAt: '2026-12-30T00:00:00Z', ...more });

describe('times of certificates by ACME', () => {
  it('renew at two thirds of their life, and wait longer and longer after failures', () => {
    expect(renewalAt('2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z').toISOString()).toBe(
      '2026-03-02T00:00:00.000Z',
    );
    expect([1, 2, 3, 6, 60].map(pauseAfterFailures)).toEqual([
      60_000, 300_000, 1_800_000, 86_400_000, 86_400_000,
    ]);
  });

  it('ask for hosts that are new or due, each once', () => {
    const records = [record('a', {}), record('b', { nextAt: '2026-11-30T11:59:00Z' })];
    expect(dueHosts(['c', 'b', 'a', 'c'], records, now)).toEqual(['b', 'c']);
  });

  it('forget hosts without a route, but no certificate that is still good', () => {
    const records = [
      record('routed', { notAfter: '2026-11-01T00:00:00Z' }),
      record('good', { notAfter: '2026-12-31T00:00:00Z' }),
      record('over', { notAfter: '2026-11-01T00:00:00Z' }),
      record('failed', { state: 'failed' }),
    ];
    expect(forgettableHosts(['routed'], records, now)).toEqual(['over', 'failed']);
  });
});
