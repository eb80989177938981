import { describe, expect, it } from 'vitest';
import { claimRoutes } from '../../../shared/ingress/claims.ts';
import type { Bundle, Door, IngressReplica } from '../../../shared/ingress/door.ts';
import { INGRESS } from '../../../shared/ingress/ingress-application.ts';
import { ingressStores } from '../../../shared/ingress/ingress-state.ts';
import { notice } from '../../../shared/ingress/notice.ts';
import type { PushPorts } from '../../../shared/ingress/push.ts';
import { watchedReplicas } from '../../../shared/ingress/watched-replicas.ts';
import { ApplicationSpec } from '../../../shared/model/application.ts';
import { Retryable } from '../../../shared/model/errors.ts';
import { Replica, ServiceKey, serviceId } from '../../../shared/model/service.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { placeOf, stores } from '../../../shared/workloads/stores.ts';

const key = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });
const since = '2026-11-30T12:00:00Z';
const replica = (of: ServiceKey, slot: number, state: string): Replica =>
  Replica.parse({
    key: of,
    revision: 1,
    slot,
    generation: 1,
    machine: `pool-m${slot}`,
    address: `10.0.0.${slot + 4}`,
    port: 20_000 + slot,
    containerId: `c${slot}`,
    status: state === 'unhealthy' ? { state, since, reason: 'it is being stopped' } : { state, since },
  });

/** Proxies that remember what they were given; `silent` ones do not answer. */
function world() {
  const tables = memoryTables();
  const documents = stores(tables);
  const silent = new Set<string>();
  const taken = new Map<string, Bundle>();
  const drained: string[][] = [];
  const left: string[] = [];
  const door: Door = {
    async apply({ machine }: IngressReplica, bundle) {
      await new Promise((resolve) => setImmediate(resolve));
      if (silent.has(machine))
        throw new Retryable({ code: 'engine-unreachable', message: 'gone', remedy: 'wait' });
      if (bundle.version > (taken.get(machine)?.version ?? 0)) taken.set(machine, bundle);
    },
    async leave({ machine }) {
      left.push(machine);
    },
    async drained(_ingress, servers) {
      drained.push([...servers]);
      return true;
    },
  };
  const ports: PushPorts = {
    tables,
    stores: documents,
    ingress: ingressStores(tables),
    certificates: {
      list: async () => [],
      get: async () => undefined,
      put: async () => {},
      pem: async () => undefined,
      remove: async () => {},
    },
    challenges: async () => ({}),
    door,
    random: Math.random,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(20, milliseconds))),
  };
  const told = notice(
    ports,
    async () => {},
    (error) => {
      throw error;
    },
  );
  const replicas = watchedReplicas(documents.replicas, told);
  const put = (one: Replica) => replicas.upsert(...placeOf.replica(one), one);
  return { tables, ports, told, put, taken, silent, drained, left };
}

const app = ApplicationSpec.parse({
  name: 'shop',
  services: { web: { image: `a/b@sha256:${'a'.repeat(64)}`, port: 80, routes: [{ host: 'a.example' }] } },
});

describe('what the ingress is told', () => {
  it('is in every proxy when the write of a replica returns; a silent one holds nothing up', async () => {
    const { tables, put, taken, silent } = world();
    await claimRoutes(tables, key.environment, app, since);
    await put(replica(INGRESS, 0, 'running'));
    await put(replica(INGRESS, 1, 'healthy'));
    silent.add('pool-m1');
    await put(replica(key, 0, 'healthy'));
    expect(taken.get('pool-m0')?.text).toContain('10.0.0.4:20000');
    expect(taken.get('pool-m1')?.text).not.toContain('10.0.0.4:20000');
    await put(replica(key, 0, 'unhealthy'));
    expect(taken.get('pool-m0')?.text).not.toContain('10.0.0.4:20000');
  });

  it('knows, whichever of many writes at once it hears last, all of them', async () => {
    const { tables, put, taken, ports } = world();
    await claimRoutes(tables, key.environment, app, since);
    await put(replica(INGRESS, 0, 'healthy'));
    // A second process of the app pushes too.
    const other = notice(
      ports,
      async () => {},
      () => {},
    );
    await Promise.all([
      ...Array.from({ length: 12 }, (_, slot) => put(replica(key, slot + 2, 'healthy'))),
      other.changed(key),
      other.changed(key),
    ]);
    const { text = '' } = taken.get('pool-m0') ?? {};
    for (let slot = 2; slot < 14; slot += 1) expect(text).toContain(`:${20_000 + slot}`);
  });

  it('waits for what a withdrawn replica has under way, also when others were withdrawn before', async () => {
    const { tables, put, told, drained } = world();
    await claimRoutes(tables, key.environment, app, since);
    await put(replica(INGRESS, 0, 'healthy'));
    await Promise.all([0, 1, 2].map((slot) => put(replica(key, slot, 'healthy'))));
    await Promise.all([0, 1, 2].map((slot) => put(replica(key, slot, 'unhealthy'))));
    await Promise.all([0, 1].map((slot) => told.withdrawn(replica(key, slot, 'unhealthy'))));
    expect(drained).toHaveLength(2);
    expect(new Set(drained.flat()).size).toBe(2);
  });

  it('is that an ingress which is stopped takes no more connections, while there are routes', async () => {
    const { tables, told, left } = world();
    await told.withdrawn(replica(INGRESS, 0, 'unhealthy'));
    expect(left).toEqual([]);
    await claimRoutes(tables, key.environment, app, since);
    await told.withdrawn(replica(INGRESS, 0, 'unhealthy'));
    expect(left).toEqual(['pool-m0']);
  });

  it('asks nothing of proxies for a service without routes', async () => {
    const { put, taken } = world();
    await put(replica(INGRESS, 0, 'running'));
    const { version } = taken.get('pool-m0') ?? {};
    await put(replica(key, 0, 'healthy'));
    expect(taken.get('pool-m0')?.version).toBe(version);
    expect(serviceId(key)).toBe('dev.shop.web');
  });
});
