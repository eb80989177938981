import type { RepositoryName } from '../../model/image.ts';
import type { Tables, Write } from '../../state/tables.ts';
import { RegistryError } from '../errors.ts';
import type { Policies } from '../policy/policy-store.ts';
import { readUse } from './use.ts';

export interface QuotaParts {
  readonly tables: Tables;
  readonly policies: Policies;
  readonly now: () => Date;
}

/**
 * Makes sure that there is room for what a transaction adds.
 * @param added bytes of rows that are not there yet; the transaction must fail if they are by then
 * @returns what the transaction must hold
 * @throws RegistryError DENIED with quota, used and wanted
 */
export async function admit(
  { tables, policies, now }: QuotaParts,
  repository: RepositoryName,
  added: number,
): Promise<readonly Write[]> {
  const { quota } = await policies.of(repository);
  if (quota === undefined || added === 0) return [];
  const use = await readUse(tables, repository, { now: now(), changedAt: await policies.changedAt() });
  if (use.bytes + added > quota) throw overQuota(repository, quota, use.bytes, added);
  return [use.write(use.bytes + added)];
}

export const overQuota = (
  repository: RepositoryName,
  quota: number,
  used: number,
  wanted: number,
): RegistryError =>
  new RegistryError(
    'DENIED',
    `${repository} has a quota of ${quota} bytes, of which ${used} are used; this needs ${wanted} more`,
    { detail: { quota, used, wanted } },
  );
