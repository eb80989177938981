import { z } from 'zod';
import type { RepositoryName } from '../../model/image.ts';
import { PolicyName } from '../../model/names.ts';
import { documentOf, documentValues } from '../../state/documents.ts';
import { Conflict, type Tables, type Write } from '../../state/tables.ts';
import { effectivePolicy } from './effective.ts';
import { type EffectivePolicy, RepositoryPolicy } from './policy.ts';

/** How long this process goes on with the policies that it read, milliseconds: a change holds everywhere after that. */
const FRESH_MS = 3_000;
const TABLE = 'policies';
const PARTITION = 'policy';
/** When any policy changed last: before the names, which begin with a letter. */
const CHANGED = '!changed';
const Changed = z.object({ at: z.string() });

/** What holds for repositories. */
export interface Policies {
  of(repository: RepositoryName): Promise<EffectivePolicy>;
  /** When they changed last; 1970 if never. */
  changedAt(): Promise<Date>;
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
  interface Read {
    readonly policies: readonly NamedPolicy[];
    readonly changedAt: Date;
    /** What was made of them already. */
    readonly effective: Map<RepositoryName, EffectivePolicy>;
  }
  let last: { readonly at: number; readonly read: Promise<Read> } | undefined;
  const readAll = async (): Promise<Read> => {
    const policies: NamedPolicy[] = [];
    let changedAt = new Date(0);
    for await (const { row, values } of tables.list(TABLE, { partition: PARTITION }))
      if (row === CHANGED) changedAt = new Date(documentOf(Changed, values).at);
      else policies.push({ name: PolicyName.parse(row), policy: documentOf(RepositoryPolicy, values) });
    return { policies, changedAt, effective: new Map() };
  };
  const fresh = (): Promise<Read> => {
    const at = now().getTime();
    if (last === undefined || at - last.at >= FRESH_MS || at < last.at) {
      const read = readAll();
      last = { at, read };
      // A failure is not kept: the next call reads again.
      read.catch(() => {
        last = undefined;
      });
    }
    return last.read;
  };
  const change = async (write: Write): Promise<void> => {
    const values = documentValues({ at: now().toISOString() });
    await tables.commit(TABLE, PARTITION, [{ kind: 'upsert', row: CHANGED, values }, write]);
    last = undefined;
  };
  return {
    async of(repository) {
      const { policies, effective } = await fresh();
      const all = policies.map(({ policy }) => policy);
      const found = effective.get(repository) ?? effectivePolicy(all, repository);
      effective.set(repository, found);
      return found;
    },
    changedAt: async () => (await fresh()).changedAt,
    list: async () => [...(await readAll()).policies],
    async get(name) {
      const row = await tables.read(TABLE, PARTITION, name);
      return row && documentOf(RepositoryPolicy, row.values);
    },
    put: (name, policy) => change({ kind: 'upsert', row: name, values: documentValues(policy) }),
    async remove(name) {
      try {
        await change({ kind: 'delete', row: name });
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    },
  };
}
