import type { Resources } from '../model/application.ts';
import type { PoolName } from '../model/names.ts';
import { PoolSpec } from '../model/pool.ts';
import type { Result } from '../scheduling/decide.ts';
import type { StartOutcome } from './outcomes.ts';
import { placeOf, type Stores } from './stores.ts';

/** Room is reserved on a machine that is not ready: whoever chose it first has it made, the others wait for it. */
export async function machineComing(
  { pools }: Stores,
  reserved: Extract<Result, { outcome: 'reserved' }>,
  wanted: {
    readonly pool: PoolName;
    readonly resources: Resources;
    readonly owner: string;
    readonly cause: string;
  },
): Promise<StartOutcome> {
  const { machine, record } = reserved;
  const { pool, resources, owner, cause } = wanted;
  const state = record?.status.state ?? 'provisioning';
  const own = reserved.owner === owner && (state === 'provisioning' || state === 'booting');
  if (!own) return { outcome: 'machine-coming', machine };
  const spec = (await pools.get(...placeOf.pool(pool)))?.value ?? PoolSpec.parse({});
  const needs = { cpu: resources.cpu, memory: resources.memory };
  return { outcome: 'machine-coming', machine, provision: { pool, spec, machine, needs, cause } };
}
