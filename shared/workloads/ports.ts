import type { EngineOf } from '../docker/engine.ts';
import type { HealthProbe } from '../health/health-probe.ts';
import type { RepositoryName } from '../model/image.ts';
import type { Capacity } from '../scheduling/capacity.ts';
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
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
}
