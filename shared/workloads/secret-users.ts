import type { ApplicationSpec } from '../model/application.ts';
import type { SecretUse } from '../model/files.ts';
import type { EnvironmentName, ServiceName } from '../model/names.ts';
import type { SecretRecord } from '../model/secret-record.ts';
import { type Replica, serviceId } from '../model/service.ts';
import { containersOf } from './admission.ts';
import { all, type Stores } from './stores.ts';

/** A service or job whose containers are given a secret. */
export interface SecretUser {
  readonly application: ApplicationSpec['name'];
  readonly kind: 'service' | 'job';
  readonly name: string;
  /** Replicas that were given an older value. */
  readonly stale: number;
}

/**
 * Who uses a secret, by what was deployed last.
 * @param records every secret of its environment: an application's own comes before one of the environment
 */
export async function secretUsers(
  stores: Pick<Stores, 'applications' | 'replicas'>,
  record: SecretRecord,
  records: readonly SecretRecord[],
): Promise<SecretUser[]> {
  const { environment, application } = record.key;
  const found: SecretUser[] = [];
  for (const spec of await all(stores.applications.list({ partition: environment }))) {
    if (application !== undefined && application !== spec.name) continue;
    const hasOwn = records.some(({ key }) => key.application === spec.name && key.name === record.key.name);
    if (application === undefined && hasOwn) continue;
    for (const { kind, name } of namesOf(spec, record.key.name)) {
      const key = { environment, application: spec.name, service: name as ServiceName };
      const stale = kind === 'service' ? await staleReplicas(stores, key, record) : 0;
      found.push({ application: spec.name, kind, name, stale });
    }
  }
  return found;
}

async function staleReplicas(
  { replicas }: Pick<Stores, 'replicas'>,
  key: { environment: EnvironmentName; application: ApplicationSpec['name']; service: ServiceName },
  record: SecretRecord,
): Promise<number> {
  const running = await all(replicas.list({ partition: serviceId(key) }));
  return running.filter(({ secrets }) => isStale(secrets, record)).length;
}

/** Secrets of which a replica was given an older value; its application's own come before those of the environment. */
export function staleOf(
  { key, secrets }: Pick<Replica, 'key' | 'secrets'>,
  records: readonly SecretRecord[],
): string[] {
  const meant = (name: string) => {
    const named = records.filter((record) => record.key.name === name);
    return (
      named.find((record) => record.key.application === key.application) ??
      named.find((record) => record.key.application === undefined)
    );
  };
  return Object.keys(secrets ?? {}).filter((name) => {
    const record = meant(name);
    return record !== undefined && isStale(secrets, record);
  });
}

/** Whether a replica was given an older value of this secret. */
const isStale = (
  given: Readonly<Record<string, number>> | undefined,
  { key, version }: SecretRecord,
): boolean => given !== undefined && (given[key.name] ?? version) < version;

function namesOf(spec: ApplicationSpec, secret: string): Pick<SecretUser, 'kind' | 'name'>[] {
  const uses = (secrets: readonly SecretUse[] | undefined): boolean =>
    (secrets ?? []).some((use) => (use.name ?? use.secret) === secret);
  const found = new Map<string, Pick<SecretUser, 'kind' | 'name'>>();
  for (const [path, container] of containersOf(spec)) {
    const [kind, name = ''] = path.split('.');
    if (uses(container.secrets))
      found.set(`${kind}.${name}`, { kind: kind === 'jobs' ? 'job' : 'service', name });
  }
  return [...found.values()];
}
