import type { EngineOf } from '../shared/docker/engine.ts';
import { networkProbe } from '../shared/health/health-probe.network.ts';
import { keptBy, type LogKeeper } from '../shared/logs/log-keeper.ts';
import type { BreakerStore } from '../shared/machines/breaker/breaker-store.ts';
import type { Offers } from '../shared/machines/offerings/offers.ts';
import { poolOutlook } from '../shared/machines/pool-outlook.ts';
import type { RepositoryName } from '../shared/model/image.ts';
import type { Networks } from '../shared/networks/networks.ts';
import { capacity } from '../shared/scheduling/capacity.ts';
import type { WorkloadPorts } from '../shared/workloads/ports.ts';
import type { ServiceSecrets } from '../shared/workloads/service-secrets.ts';
import { all, placeOf, type Stores } from '../shared/workloads/stores.ts';

/** A pull has to begin within this time; seconds. */
const PULL_SECONDS = 3600;

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What the steps of rollouts and runs act through; one for each process, since its reservations are made in batches. */
export function workloadPorts(from: {
  readonly stores: Stores;
  readonly engineOf: EngineOf;
  readonly offers: Offers;
  readonly breakers: BreakerStore;
  readonly logs: LogKeeper;
  readonly networks: Networks;
  /** Of users, for their containers. */
  readonly secrets: ServiceSecrets;
  readonly tokens: { issuePullToken(repository: RepositoryName, seconds: number): Promise<string> };
  /** Host of the registry. */
  readonly hostname: string;
  readonly withdrawn: NonNullable<WorkloadPorts['withdrawn']>;
  readonly switched: NonNullable<WorkloadPorts['switched']>;
  readonly now: () => Date;
}): WorkloadPorts {
  const { stores, engineOf, offers, breakers, logs, networks, secrets, tokens, hostname, now } = from;
  return {
    stores,
    engineOf,
    networks,
    secrets,
    now,
    sleep,
    registry: hostname,
    withdrawn: from.withdrawn,
    switched: from.switched,
    probe: networkProbe,
    keepLog: keptBy(logs),
    pullToken: (repository) => tokens.issuePullToken(repository, PULL_SECONDS),
    capacity: capacity({
      tables: stores.tables,
      machines: (pool) => all(stores.machines.list({ partition: pool })),
      outlook: (pool, growing) =>
        poolOutlook(
          pool,
          {
            poolSpec: async (name) => (await stores.pools.get(...placeOf.pool(name)))?.value,
            machines: () => all(stores.machines.list({})),
            offers,
            breakers,
            now,
          },
          growing,
        ),
      now,
      random: Math.random,
      sleep,
    }),
  };
}
