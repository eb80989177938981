import { Allowances } from '../model/allowances.ts';
import { ApplicationSpec } from '../model/application.ts';
import type { ImageReference } from '../model/image.ts';
import { Job, type JobKey, jobId, Run } from '../model/job.ts';
import { Machine } from '../model/machine.ts';
import type { EnvironmentName } from '../model/names.ts';
import { PoolSpec } from '../model/pool.ts';
import { Replica, Revision, Service, ServiceKey, serviceId } from '../model/service.ts';
import { type VolumeKey, VolumeRecord } from '../model/volume-record.ts';
import { type Documents, documents, type Stored } from '../state/documents.ts';
import { numberKey, tableKey } from '../state/key.ts';
import type { Tables } from '../state/tables.ts';
import { ConfigContent, type ConfigContents } from './config-contents.ts';

/** Every kind of document that workloads are made of; its table and keys are those of docs/architecture.md. */
export interface Stores {
  readonly tables: Tables;
  readonly applications: Documents<ApplicationSpec>;
  readonly services: Documents<Service>;
  readonly revisions: Documents<Revision>;
  readonly replicas: Documents<Replica>;
  readonly rules: Documents<ServiceKey>;
  readonly jobs: Documents<Job>;
  readonly runs: Documents<Run>;
  readonly pools: Documents<PoolSpec>;
  readonly machines: Documents<Machine>;
  readonly allowances: Documents<Allowances>;
  readonly configs: ConfigContents;
  readonly volumes: Documents<VolumeRecord>;
}

export function stores(tables: Tables): Stores {
  return {
    tables,
    applications: documents(tables, 'applications', ApplicationSpec),
    services: documents(tables, 'services', Service),
    revisions: documents(tables, 'revisions', Revision),
    replicas: documents(tables, 'replicas', Replica),
    rules: documents(tables, 'rules', ServiceKey),
    jobs: documents(tables, 'jobs', Job),
    runs: documents(tables, 'runs', Run),
    pools: documents(tables, 'pools', PoolSpec),
    machines: documents(tables, 'machines', Machine),
    allowances: documents(tables, 'allowances', Allowances),
    configs: documents(tables, 'configs', ConfigContent),
    volumes: documents(tables, 'volumes', VolumeRecord),
  };
}

/** Partition and row of a document, as `documents.get(...place)` takes them. */
export type Place = readonly [partition: string, row: string];

export const placeOf = {
  application: (environment: EnvironmentName, name: string): Place => [environment, name],
  service: (key: ServiceKey): Place => [key.environment, `${key.application}.${key.service}`],
  revision: (key: ServiceKey, number: number): Place => [serviceId(key), numberKey(number)],
  replica: (replica: Pick<Replica, 'key' | 'slot' | 'generation'>): Place => [
    serviceId(replica.key),
    `${numberKey(replica.slot)}.g${numberKey(replica.generation)}`,
  ],
  /** By the digest where the reference has one, since it then means nothing else. */
  rule: ({ repository, tag, digest }: ImageReference, key: ServiceKey): Place => [
    tableKey(repository),
    `${digest ?? tag}!${serviceId(key)}`,
  ],
  job: (key: JobKey): Place => [key.environment, `${key.application}.${key.job}`],
  run: (key: JobKey, id: string): Place => [jobId(key), id],
  pool: (name: string): Place => ['pool', name],
  machine: (pool: string, name: string): Place => [pool, name],
  volume: ({ environment, application, volume, slot }: VolumeKey): Place => [
    environment,
    tableKey(`${application}!${volume}!${numberKey(slot)}`),
  ],
  allowances: (environment: EnvironmentName): Place => ['environment', environment],
};

/** The values of a listing, for lists that are known to be short. */
export async function all<T>(listing: AsyncIterable<Stored<T>>): Promise<T[]> {
  const found: T[] = [];
  for await (const { value } of listing) found.push(value);
  return found;
}
