import { Retryable } from '../model/errors.ts';
import type { Machine } from '../model/machine.ts';
import type { EnvironmentName } from '../model/names.ts';
import type { Stored } from '../state/documents.ts';
import { Conflict } from '../state/tables.ts';
import { ENVIRONMENT_NUMBERS, ENVIRONMENTS, type EnvironmentRow, type NetworkRows } from './network-rows.ts';
import type { NetworkSources } from './networks.ts';
import { release } from './numbers.ts';
import { networkName } from './service-names.ts';

/**
 * Takes back the networks and the number of environments that have no applications any more. A network that still has a
 * container stays, and with it the number: nobody else gets addresses that somebody may have.
 */
export async function closeEnvironments(
  sources: NetworkSources,
  rows: NetworkRows,
  records: readonly Machine[],
): Promise<void> {
  for await (const stored of rows.environments.list({ partition: ENVIRONMENTS })) {
    const environment = stored.row as EnvironmentName;
    if (await sources.isUsed(environment)) continue;
    const here = records.filter(({ name }) => stored.value.machines.includes(name));
    const closed = await Promise.all(here.map((machine) => closeOn(sources, environment, machine)));
    if (closed.every(Boolean)) await forget(sources, rows, stored);
  }
}

async function closeOn(
  { engineOf }: NetworkSources,
  environment: EnvironmentName,
  { name, address, status }: Machine,
): Promise<boolean> {
  if (status.state !== 'ready' || address === undefined) return false;
  try {
    const engine = await engineOf({ name, address });
    return await engine.removeNetwork(networkName(environment));
  } catch (error) {
    if (error instanceof Retryable) return false;
    throw error;
  }
}

/** Not if a container came meanwhile: it was entered in the row. */
async function forget(
  { tables }: NetworkSources,
  { numbers }: NetworkRows,
  { row, etag }: Stored<EnvironmentRow>,
): Promise<void> {
  try {
    await tables.commit('networks', ENVIRONMENTS, [{ kind: 'delete', row, etag }]);
  } catch (error) {
    if (error instanceof Conflict) return;
    throw error;
  }
  await numbers.update(...ENVIRONMENT_NUMBERS, (current) => current && release(current, row));
}
