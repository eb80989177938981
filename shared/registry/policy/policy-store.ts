import type { RepositoryName } from '../../model/image.ts';
import { PolicyName } from '../../model/names.ts';
import { documents } from '../../state/documents.ts';
import type { Tables } from '../../state/tables.ts';
import { effectivePolicy } from './effective.ts';
import { type EffectivePolicy, RepositoryPolicy } from './policy.ts';

/** How long this process goes on with the policies that it read, milliseconds: a change holds everywhere after that. */
const FRESH_MS = 3_000;
const PARTITION = 'policy';

/** What holds for repositories. */
export interface Policies {
  of(repository: RepositoryName): Promise<EffectivePolicy>;
}

export interface NamedPolicy {
  readonly name: PolicyName;
  readonly policy: RepositoryPolicy;
}

/** Table `policies`: one document a name. */
export interface PolicyStore extends Policies {
  list(): Promise<NamedPolicy[]>;
  get(name: PolicyName): Promise<RepositoryPolicy | undefined>;
  put(name: PolicyName, policy: RepositoryPolicy): Promise<void>;
  /** One that is not there is removed already. */
  remove(name: PolicyName): Promise<void>;
}

export function policyStore(tables: Tables, now: () => Date): PolicyStore {
  const store = documents(tables, 'policies', RepositoryPolicy);
  let read: { readonly at: number; readonly policies: Promise<RepositoryPolicy[]> } | undefined;
  const readAll = async (): Promise<NamedPolicy[]> => {
    const found: NamedPolicy[] = [];
    for await (const { row, value } of store.list({ partition: PARTITION }))
      found.push({ name: PolicyName.parse(row), policy: value });
    return found;
  };
  const fresh = (): Promise<RepositoryPolicy[]> => {
    const at = now().getTime();
    if (read === undefined || at - read.at >= FRESH_MS || at < read.at) {
      const policies = readAll().then((all) => all.map(({ policy }) => policy));
      read = { at, policies };
      // A failure is not kept: the next call reads again.
      policies.catch(() => {
        read = undefined;
      });
    }
    return read.policies;
  };
  return {
    of: async (repository) => effectivePolicy(await fresh(), repository),
    list: readAll,
    get: async (name) => (await store.get(PARTITION, name))?.value,
    async put(name, policy) {
      await store.upsert(PARTITION, name, policy);
      read = undefined;
    },
    async remove(name) {
      await store.delete(PARTITION, name);
      read = undefined;
    },
  };
}
