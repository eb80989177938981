import { describe, expect, test } from 'vitest';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { holds, readConstraint } from '../../../shared/model/placement.ts';

const read = (web: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  ApplicationSpec.safeParse({ name: 'shop', services: { web: { image: 'shop/web:1', ...web }, ...more } });
const faults = (...given: Parameters<typeof read>): string[] =>
  read(...given).error?.issues.map(({ path, message }) => `${path.slice(2).join('.')}: ${message}`) ?? [];

describe('constraints', () => {
  test('are kept in our words, whichever they were written in', () => {
    const { services } = read({
      placement: {
        constraints: ['node.labels.disk==ssd', 'zone!=2', 'node.hostname != a-1', 'label.tier == a b'],
      },
    }).data as ApplicationSpec;
    expect(Object.values(services)[0]?.placement?.constraints).toEqual([
      'label.disk == ssd',
      'zone != 2',
      'machine != a-1',
      'label.tier == a b',
    ]);
  });

  test('that nothing can honour say what is understood', () => {
    expect(
      faults({ placement: { constraints: ['node.role == manager', 'disk = ssd', 'zone == '] } }),
    ).toEqual([
      "placement.constraints.0: no machine of Berth has node.role: of Swarm's words node.labels.NAME and node.hostname are understood",
      ...[1, 2].map((at) =>
        expect.stringContaining(`placement.constraints.${at}: expected a condition on a machine`),
      ),
    ]);
  });

  test('hold for what a machine has; what it has no word of is never equal', () => {
    const on = (text: string, facts: { zone?: string; size?: string; labels?: Record<string, string> }) => {
      const constraint = readConstraint(text);
      if (typeof constraint === 'string') throw new Error(constraint);
      return holds(constraint, { machine: 'm', labels: {}, ...facts });
    };
    expect(on('label.disk == ssd', { labels: { disk: 'ssd' } })).toBe(true);
    expect(on('label.disk == ssd', {})).toBe(false);
    expect(on('label.disk != ssd', {})).toBe(true);
    expect(on('zone == 1', {})).toBe(false);
    expect(on('size == standard_b2S', { size: 'Standard_B2s' })).toBe(true);
  });
});

describe('what contradicts itself is refused', () => {
  test('one-per-machine with a number or a choice of machines', () => {
    expect(faults({ mode: 'one-per-machine', replicas: 3, placement: { spread: 'zone' } })).toEqual([
      'replicas: mode one-per-machine has as many replicas as there are machines: expected no replicas, found 3',
      'placement.spread: mode one-per-machine leaves no choice of machines: expected no such key',
    ]);
    const agent = { mode: 'one-per-machine', ports: [{ machine: 9100 }] };
    expect(faults(agent)).toEqual([]);
    expect(faults({ ...agent, rollout: { unavailable: 2 } })).toEqual([]);
    expect(faults({ ...agent, rollout: { strategy: 'blue-green' } })).toEqual([
      expect.stringContaining('rollout: a new replica waits for the port'),
    ]);
  });

  test('ports that are there twice, the machine’s own, or Berth’s', () => {
    const ports = [
      { machine: 53 },
      { machine: 53, protocol: 'udp' },
      { machine: 53 },
      { machine: 22 },
      { machine: 20_000 },
    ];
    expect(faults({ ports })).toEqual([
      'ports.2.machine: 53/tcp is there twice',
      'ports.3.machine: the machine itself listens on 22/tcp: expected another port',
      'ports.4.machine: Berth gives the ports 20000 to 29999 to replicas: expected another port, found 20000',
    ]);
  });

  test('affinity to itself, to another pool, or to what it shall be apart from', () => {
    expect(faults({ placement: { affinity: ['web'], antiAffinity: ['web'] } })).toEqual([
      'placement.affinity.0: expected another service, found web itself: its first replica could be nowhere',
      'placement.antiAffinity.0: expected another service, found web itself: write atMostPerMachine: 1',
    ]);
    const db = { db: { image: 'shop/db:1', pool: 'data' } };
    expect(faults({ placement: { affinity: ['db'] } }, db)).toEqual([
      'placement.affinity.0: db is in pool data and web in pool default: expected one pool, since no machine is in both',
    ]);
  });
});
