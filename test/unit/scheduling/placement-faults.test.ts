import { describe, expect, test } from 'vitest';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { PoolSpec } from '../../../shared/model/pool.ts';
import { placementFaults } from '../../../shared/scheduling/placement-faults.ts';
import type { Claimant } from '../../../shared/scheduling/port-claims.ts';

const sku = (name: string, gpus = 0) => ({
  name,
  family: 'f',
  cores: 4,
  memory: 16_384,
  zones: ['1'],
  spot: true,
  ...(gpus > 0 && { gpus }),
});

function faults(web: Record<string, unknown>, pool: Record<string, unknown> = {}): string[] {
  const spec = ApplicationSpec.parse({
    name: 'shop',
    services: { web: { image: 'shop/web:1', ...web }, db: { image: 'shop/db:1' } },
    pools: { default: { sizes: ['Standard_D4s_v5'], ...pool } },
  });
  const pools = new Map([['batch', PoolSpec.parse({ labels: { disk: 'ssd' }, zones: ['2'] })]]);
  const others = new Map([['mail/relay', 'batch']]);
  const skus = [sku('Standard_D4s_v5'), sku('Standard_NC24ads_A100_v4', 1)];
  return placementFaults(spec, { pools, machines: [], others, skus }).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

describe('what can never be placed', () => {
  test('a label that the pool does not give, with the pool that does', () => {
    const placement = { constraints: ['label.disk == ssd'] };
    expect(faults({ placement })).toEqual([
      'services.web.placement.constraints.0: pool default never has a machine with label.disk == ssd: it has no labels; pool batch has',
    ]);
    expect(faults({ placement }, { labels: { disk: 'ssd' } })).toEqual([]);
  });

  test('zones and sizes that the pool has not, and the name of a machine that is not there', () => {
    const constraints = ['zone == 2', 'size == Standard_B2s', 'machine == default-x'];
    expect(faults({ placement: { constraints } }, { zones: ['1'] })).toEqual([
      'services.web.placement.constraints.0: pool default never has a machine with zone == 2: its zones are 1; pool batch has',
      'services.web.placement.constraints.1: pool default never has a machine with size == Standard_B2s: its sizes are Standard_D4s_v5; pool batch has',
      'services.web.placement.constraints.2: pool default has no machine with machine == default-x, and new ones get other names',
    ]);
    expect(faults({ placement: { constraints: ['zone != 2', 'machine != default-x'] } })).toEqual([]);
  });

  test('more GPUs than any size has', () => {
    expect(faults({ resources: { gpu: 1 } })).toEqual([
      'services.web.resources.gpu: pool default never has a machine with 1 GPU: none of its sizes has one (Standard_D4s_v5)',
    ]);
    expect(faults({ resources: { gpu: 1 } }, { sizes: ['Standard_NC24ads_A100_v4'] })).toEqual([]);
  });

  test('more replicas of one port than the pool may have machines, in its widest window', () => {
    const web = { replicas: 4, ports: [{ machine: 443 }] };
    expect(faults(web)).toEqual([
      'services.web.replicas: 4 replicas do not fit, with port 443/tcp once on a machine: pool default has at most 3 machines, so that there is room for 3',
    ]);
    expect(faults(web, { schedule: [{ cron: '0 8 * * *', for: 3600, maximum: 4 }] })).toEqual([]);
    expect(faults({ replicas: 7, placement: { atMostPerMachine: 2 } })).toHaveLength(1);
  });

  test('more cores or memory than any size has', () => {
    expect(faults({ resources: { cpu: 1000, memory: 9_007_199_254_740_991 } })).toEqual([
      'services.web.resources.cpu: pool default never has a machine with 1000 cores for containers: the most that one of its sizes has is 4 (Standard_D4s_v5)',
      'services.web.resources.memory: pool default never has a machine with 9007199254740991 MiB of memory for containers: the most that one of its sizes has is 14745 (Standard_D4s_v5)',
    ]);
    expect(faults({ resources: { cpu: 4, memory: 14_745 } })).toEqual([]);
    // What a size has that is not known is not known.
    expect(faults({ resources: { cpu: 1000 } }, { sizes: ['Standard_New'] })).toEqual([]);
  });

  test('a port of machines that several services claim on more machines than there may be', () => {
    const ports = [{ machine: 9100 }];
    const two = (web: object, db: object, neighbours: readonly Claimant[] = []) => {
      const services = { web: { image: 'a/web:1', ...web }, db: { image: 'a/db:1', ...db } };
      const spec = ApplicationSpec.parse({ name: 'shop', services });
      return placementFaults(spec, { pools: new Map(), machines: [], others: new Map(), neighbours }).map(
        ({ path, message }) => `${path}: ${message}`,
      );
    };
    const why =
      'port 9100/tcp is claimed by shop/web, on 2 and shop/db, on 2: it is once on a machine, and pool default has at most 3';
    expect(two({ replicas: 2, ports }, { replicas: 2, ports })).toEqual([
      `services.web.ports.0: ${why}`,
      `services.db.ports.0: ${why}`,
    ]);
    expect(two({ replicas: 2, ports }, { replicas: 1, ports })).toEqual([]);
    expect(two({ replicas: 2, ports }, { replicas: 2, ports: [{ machine: 9100, protocol: 'udp' }] })).toEqual(
      [],
    );
    expect(two({ replicas: 2, ports }, { replicas: 2, ports, pool: 'other' })).toEqual([]);
    expect(two({ ports, mode: 'one-per-machine' }, { ports })).toHaveLength(2);
    // By itself it is too many: that says enough.
    expect(two({ replicas: 4, ports }, { ports })).toEqual([
      expect.stringContaining('services.web.replicas: 4 replicas do not fit'),
      expect.stringContaining('services.db.ports.0'),
    ]);
    const node = ApplicationSpec.parse({
      name: 'mon',
      services: { node: { image: 'a/n:1', replicas: 3, ports } },
    });
    const neighbours = Object.values(node.services).map((one) => ({ name: 'mon/node', spec: one }));
    expect(two({ ports }, {}, neighbours)).toEqual([
      'services.web.ports.0: port 9100/tcp is claimed by shop/web, on 1 and mon/node, on 3: it is once on a machine, and pool default has at most 3',
    ]);
  });

  test('what is to be near something that there is not, or that is in another pool', () => {
    expect(faults({ placement: { affinity: ['dv'], antiAffinity: ['mail/relay'] } })).toEqual([
      'services.web.placement.affinity.0: the environment has no service or job shop/dv: did you mean shop/db?',
    ]);
    expect(faults({ placement: { affinity: ['mail/relay'] } })).toEqual([
      'services.web.placement.affinity.0: mail/relay is in pool batch: no machine of pool default ever has one of it',
    ]);
  });
});
