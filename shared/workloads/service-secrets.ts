import type { ApplicationName, EnvironmentName } from '../model/names.ts';
import { type SecretKey, SecretRecord } from '../model/secret-record.ts';
import { Secret } from '../secrets/secret.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { documents } from '../state/documents.ts';
import { tableKey } from '../state/key.ts';
import { Conflict, type Tables } from '../state/tables.ts';

/** Secrets of users, for their containers. Values are sealed; records say that there are some. */
export interface ServiceSecrets {
  /** Gives a secret another value. */
  set(key: SecretKey, value: Uint8Array): Promise<SecretRecord>;
  /** @returns false if there was none */
  remove(key: SecretKey): Promise<boolean>;
  /** Those of an environment and its applications, by name. */
  list(environment: EnvironmentName): Promise<readonly SecretRecord[]>;
  /** What an application means by a name: its own, or the environment's. */
  find(
    environment: EnvironmentName,
    application: ApplicationName,
    name: string,
  ): Promise<SecretRecord | undefined>;
  /** The value of a secret that was found. Undefined if it was removed or changed since. */
  open(record: SecretRecord): Promise<Secret<Uint8Array> | undefined>;
}

const MOST_ATTEMPTS = 20;

const rowOf = ({ application, name }: Pick<SecretKey, 'application' | 'name'>): string =>
  tableKey(application === undefined ? `e!${name}` : `a!${application}!${name}`);

/** A name of `Secrets` for one value: another for each, so that a record never points to a value that is not its own. */
const sealedName = ({ key, sealed }: Pick<SecretRecord, 'key' | 'sealed'>): string =>
  `workloads/${key.environment}/${key.application ?? '_'}/${key.name}/${sealed}`;

export function serviceSecrets(tables: Tables, secrets: Secrets, now: () => Date): ServiceSecrets {
  const records = documents(tables, 'secrets', SecretRecord);
  return {
    async set(key, value) {
      for (let attempt = 1; ; attempt += 1) {
        const stored = await records.get(key.environment, rowOf(key));
        const version = (stored?.value.version ?? 0) + 1;
        const sealed = `${version}-${crypto.randomUUID()}`;
        const record = { key, version, size: value.length, changedAt: now().toISOString(), sealed };
        await secrets.seal(sealedName(record), value);
        try {
          if (stored === undefined) await records.insert(key.environment, rowOf(key), record);
          else await records.replace(stored, record);
        } catch (error) {
          await secrets.remove(sealedName(record));
          if (!(error instanceof Conflict) || attempt === MOST_ATTEMPTS) throw error;
          continue;
        }
        if (stored?.value.sealed !== undefined) await secrets.remove(sealedName(stored.value));
        return record;
      }
    },
    async remove(key) {
      let before: SecretRecord | undefined;
      await records.update(key.environment, rowOf(key), (current) => {
        before = current;
        if (current?.sealed === undefined) return undefined;
        const { sealed: _, ...rest } = current;
        return { ...rest, size: 0, changedAt: now().toISOString() };
      });
      if (before?.sealed === undefined) return false;
      await secrets.remove(sealedName(before));
      return true;
    },
    async list(environment) {
      const found: SecretRecord[] = [];
      for await (const { value } of records.list({ partition: environment }))
        if (value.sealed !== undefined) found.push(value);
      return found.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    },
    find: (environment, application, name) => findSecret(tables, environment, application, name),
    async open(record) {
      const value = await secrets.open(sealedName(record));
      return value && new Secret(value);
    },
  };
}

/** What an application means by a name, without its value. */
export async function findSecret(
  tables: Tables,
  environment: EnvironmentName,
  application: ApplicationName,
  name: string,
): Promise<SecretRecord | undefined> {
  const records = documents(tables, 'secrets', SecretRecord);
  for (const key of [{ application, name }, { name }]) {
    const found = (await records.get(environment, rowOf(key)))?.value;
    if (found?.sealed !== undefined) return found;
  }
  return undefined;
}

const nameOf = ({ key }: SecretRecord): string => `${key.name}\n${key.application ?? ''}`;
