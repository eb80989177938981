import { describe, expect, it } from 'vitest';
import { parsePorts } from '../../../cli/commands/tunnel.ts';
import { onMachine, ratesOf } from '../../../cli/usage.ts';
import { ReplicaUsage } from '../../../shared/api/routes/usage.ts';

const sample = (replica: string, second: number, cpu: number, sent = 0): ReplicaUsage =>
  ReplicaUsage.parse({
    key: { environment: 'dev', application: 'shop', service: 'web' },
    replica,
    machine: 'default-bcdfgh',
    usage: {
      time: `2026-11-30T12:00:${String(second).padStart(2, '0')}.500000000Z`,
      cpu,
      memory: 1000,
      memoryLimit: 4000,
      received: 0,
      sent,
    },
  });

describe('what replicas use', () => {
  it('is the difference of two samples over their time, and what is new has none yet', () => {
    const rates = ratesOf(
      [sample('0.g1', 0, 10), sample('1.g1', 0, 50)],
      [sample('0.g1', 2, 11, 500), sample('1.g1', 2, 3), sample('2.g1', 2, 9)],
    );
    expect(rates.map(({ name, cpu }) => [name, cpu])).toEqual([
      ['shop/web/0.g1', 0.5],
      ['shop/web/1.g1', undefined],
      ['shop/web/2.g1', undefined],
    ]);
    expect(onMachine(rates, 'default-bcdfgh')).toMatchObject({ cpu: 0.5, memory: 3000, sent: 250 });
    expect(onMachine(rates, 'other').memory).toBeUndefined();
  });
});

describe('ports of a tunnel', () => {
  it('are the same on both sides, or as they are named', () => {
    expect(parsePorts('5432')).toEqual({ local: 5432, remote: 5432 });
    expect(parsePorts('15432:5432')).toEqual({ local: 15_432, remote: 5432 });
    expect(parsePorts('0:5432')).toEqual({ local: 0, remote: 5432 });
    for (const wrong of ['', 'x', '1:2:3', '70000', '1:']) expect(() => parsePorts(wrong)).toThrow();
  });
});
