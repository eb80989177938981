import type { Container, Engine, EngineOf } from '../docker/engine.ts';
import type { HealthProbe } from '../health/health-probe.ts';
import type { RepositoryName } from '../model/image.ts';
import type { Replica, ServiceKey } from '../model/service.ts';
import type { Networks } from '../networks/networks.ts';
import type { Capacity } from '../scheduling/capacity.ts';
import type { ServiceSecrets } from './service-secrets.ts';
import type { Stores } from './stores.ts';

/** What the steps of rollouts and runs act through. */
export interface WorkloadPorts {
  readonly stores: Stores;
  readonly capacity: Capacity;
  readonly engineOf: EngineOf;
  readonly probe: HealthProbe;
  /** Registry host, as image references on machines have it. */
  readonly registry: string;
  pullToken(repository: RepositoryName): Promise<string>;
  /** Keeps what a container wrote, before it is removed with its log. Never fails: a log holds nothing up. */
  keepLog?(
    engine: Engine,
    container: Pick<Container, 'id' | 'name' | 'labels'>,
    machine: string,
  ): Promise<void>;
  /** Of users, for their containers. */
  readonly secrets: ServiceSecrets;
  /** Where containers of an environment meet; absent: they are on their engines' own bridges. */
  readonly networks?: Pick<Networks, 'open'>;
  /** Returns when nothing sends the replica requests any more, and what it had been given has ended or had its time. */
  withdrawn?(replica: Replica): Promise<void>;
  /** Returns when requests go to the replicas of a service that are now recorded as serving, and to no others. */
  switched?(key: ServiceKey): Promise<void>;
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
}
