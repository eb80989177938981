import { Retryable, Terminal } from '../model/errors.ts';
import { type Replica, serviceId } from '../model/service.ts';
import { Conflict, type Tables } from '../state/tables.ts';
import { all, type Stores } from '../workloads/stores.ts';
import type { CertificateStore } from './certificates/certificate-store.ts';
import { allRoutes } from './claims.ts';
import type { Bundle, Door, IngressReplica } from './door.ts';
import { INGRESS } from './ingress-application.ts';
import { type IngressStores, ingressPlaces, type ProxyState } from './ingress-state.ts';
import { proxyConfig } from './proxy-config.ts';
import { backendName, type RouteRow } from './route-row.ts';
import { assignSlots, type Server } from './slots.ts';

export interface PushPorts {
  readonly tables: Tables;
  readonly stores: Pick<Stores, 'replicas'>;
  readonly ingress: IngressStores;
  readonly certificates: CertificateStore;
  /** Challenges that an authority may ask about now: token → text. */
  challenges(): Promise<Readonly<Record<string, string>>>;
  readonly door: Door;
  random(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** What came of a push. */
export interface Pushed {
  readonly version: number;
  /** Places of servers, also of those that are out. */
  readonly servers: ProxyState['servers'];
  readonly told: readonly IngressReplica[];
  /** Replicas that did not take it, and why. */
  readonly failed: readonly {
    readonly replica: IngressReplica;
    readonly code: string;
    readonly reason: string;
  }[];
}

const MOST_ATTEMPTS = 40;

/**
 * Gives every replica of the ingress what routes, replicas and certificates are now. Returns when each has taken it or did
 * not answer: what was written before the call is in every proxy that answers.
 */
export async function push(ports: PushPorts): Promise<Pushed> {
  const { bundle, servers } = await claim(ports);
  const replicas = await ingressReplicas(ports);
  const failed: Pushed['failed'][number][] = [];
  const told: IngressReplica[] = [];
  await Promise.all(
    replicas.map(async (replica) => {
      try {
        await ports.door.apply(replica, bundle);
        told.push(replica);
      } catch (error) {
        if (!(error instanceof Retryable) && !(error instanceof Terminal)) throw error;
        failed.push({ replica, code: error.code, reason: error.message });
      }
    }),
  );
  return { version: bundle.version, servers, told, failed };
}

/**
 * The next version. The last one's row is read before anything else and replaced with If-Match: a later version never
 * knows less than an earlier one, in whichever order the two are brought to a proxy.
 */
async function claim(ports: PushPorts): Promise<{ bundle: Bundle; servers: ProxyState['servers'] }> {
  const { tables, ingress, certificates } = ports;
  for (let attempt = 1; ; attempt += 1) {
    const last = await ingress.proxy.get(...ingressPlaces.proxy);
    const [routes, records, challenges] = await Promise.all([
      allRoutes(tables),
      certificates.list(),
      ports.challenges(),
    ]);
    const before = last?.value.servers ?? {};
    const servers = await serversOf(ports, routes, before);
    const config = proxyConfig({ routes, servers, certificates: records, challenges });
    const next: ProxyState = { version: (last?.value.version ?? 0) + 1, servers };
    try {
      if (last === undefined) await ingress.proxy.insert(...ingressPlaces.proxy, next);
      else await ingress.proxy.replace(last, next);
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === MOST_ATTEMPTS) throw error;
      await ports.sleep(ports.random() * 20 * attempt);
      continue;
    }
    const bundle: Bundle = {
      version: next.version,
      ...config,
      certificates: async () =>
        await Promise.all(
          records.map(async ({ name }) => ({ name, pem: (await certificates.pem(name)) ?? '' })),
        ),
    };
    return { bundle, servers };
  }
}

async function serversOf(
  { stores }: PushPorts,
  routes: readonly RouteRow[],
  before: ProxyState['servers'],
): Promise<ProxyState['servers']> {
  const services = [...new Set(routes.map(({ key }) => serviceId(key)))];
  const serving = new Map(
    await Promise.all(
      services.map(async (service) => [service, await servingReplicas(stores, service)] as const),
    ),
  );
  return Object.fromEntries(
    routes.map((row) => {
      const name = backendName(row);
      return [name, assignSlots(before[name] ?? [], serving.get(serviceId(row.key)) ?? [])];
    }),
  );
}

async function servingReplicas(stores: PushPorts['stores'], service: string): Promise<readonly Server[]> {
  const replicas = await all(stores.replicas.list({ partition: service }));
  return replicas.flatMap((replica) => serverOf(replica) ?? []);
}

/** Where requests to a replica go; undefined while none may. */
export function serverOf(replica: Replica): Server | undefined {
  const { status, address, port } = replica;
  if (status.state !== 'healthy' || port === undefined || address === '') return undefined;
  const { key, revision, slot, generation } = replica;
  return { replica: `${serviceId(key)}.r${revision}.${slot}.g${generation}`, address, port };
}

/** Replicas of the ingress that have a container, whether they are healthy or not yet. */
async function ingressReplicas({ stores }: Pick<PushPorts, 'stores'>): Promise<readonly IngressReplica[]> {
  const replicas = await all(stores.replicas.list({ partition: serviceId(INGRESS) }));
  return replicas.flatMap(({ machine, address, containerId, status }) =>
    containerId === undefined || ['reserved', 'exited', 'lost'].includes(status.state)
      ? []
      : [{ machine, address, container: containerId }],
  );
}
