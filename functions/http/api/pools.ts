import { getPool, listPools, type PoolView, resetPool } from '../../../shared/api/routes/pools.ts';
import { type Breaker, restingReason, stateAt } from '../../../shared/machines/breaker/breaker.ts';
import { IMAGE_BUILDERS } from '../../../shared/machines/golden/builder-pool.ts';
import { BY_HAND } from '../../../shared/machines/machine-names.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { PoolName } from '../../../shared/model/names.ts';
import { PoolSpec } from '../../../shared/model/pool.ts';
import { reservedMachines } from '../../../shared/scheduling/close-room.ts';
import { limitsAt } from '../../../shared/scheduling/pool-limits.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

export const list = endpoint(listPools, async ({ services }) => ({ pools: await viewsOf(services) }));

export const get = endpoint(getPool, async ({ params, services }) => {
  const view = await viewOf(params.pool, services);
  const { offerings, passed } = await services.offers.rank(
    view.name,
    view.spec ?? PoolSpec.parse({}),
    await services.machines.list(),
  );
  return {
    ...view,
    offerings: offerings.map(({ family: _, cores: _cores, ...offering }) => offering),
    passed: [...passed],
  };
});

export const reset = endpoint(resetPool, async ({ params, services }) => {
  const { name, spec } = await viewOf(params.pool, services);
  await services.breakers.reset(name);
  await services.offers.reset(spec ?? PoolSpec.parse({}));
  return await viewOf(name, services);
});

type Needed = Pick<Services, 'now' | 'stores' | 'machines' | 'tables' | 'breakers'>;

async function viewOf(pool: PoolName, services: Needed): Promise<PoolView> {
  const found = (await viewsOf(services)).find(({ name }) => name === pool);
  if (found === undefined) throw notFound('pool', pool, 'List them: berth pools list');
  return found;
}

/** Pools that somebody wrote down, and those that have machines. */
export async function viewsOf(services: Needed): Promise<PoolView[]> {
  const { now, stores, machines, tables, breakers } = services;
  const specs = new Map<string, PoolSpec>();
  const [records, reserved, failures] = await Promise.all([
    machines.list(),
    reservedMachines(tables),
    breakers.all(),
  ]);
  for await (const { row, value } of stores.pools.list({})) specs.set(row, value);
  const names = new Set([...specs.keys(), ...records.map(({ pool }) => pool), ...failures.keys()]);
  return [...names]
    .filter((name) => name !== BY_HAND && name !== IMAGE_BUILDERS)
    .sort()
    .map((name) =>
      poolView(name, {
        spec: specs.get(name),
        members: records.filter(({ pool }) => pool === name),
        reserved,
        breaker: failures.get(name),
        now: now(),
      }),
    );
}

function poolView(
  name: string,
  known: {
    readonly spec: PoolSpec | undefined;
    readonly members: readonly Machine[];
    readonly reserved: ReadonlySet<string>;
    readonly breaker: Breaker | undefined;
    readonly now: Date;
  },
): PoolView {
  const { spec, members, reserved, breaker, now } = known;
  const { minimum, maximum, windows } = limitsAt(spec ?? PoolSpec.parse({}), now);
  const counted = members.filter(
    ({ status, leftovers }) => status.state !== 'failed' || leftovers.length > 0,
  );
  const coming = members.filter(({ status }) => ['provisioning', 'booting'].includes(status.state)).length;
  const resting = restingReason(breaker, coming, now);
  const byState: Record<string, number> = {};
  for (const { status } of members) byState[status.state] = (byState[status.state] ?? 0) + 1;
  return {
    name: PoolName.parse(name),
    ...(spec !== undefined && { spec }),
    minimum,
    maximum,
    windows,
    machines: {
      total: counted.length,
      byState,
      used: counted.filter((machine) => reserved.has(machine.name)).length,
    },
    hourly: Number(counted.reduce((sum, { hourly = 0 }) => sum + hourly, 0).toFixed(6)),
    ...(spec?.hourlyLimit !== undefined && { hourlyLimit: spec.hourlyLimit }),
    ...(breaker !== undefined && {
      breaker: {
        state: stateAt(breaker, now),
        since: breaker.since,
        until: breaker.until,
        failures: breaker.failures,
        machine: breaker.machine,
        code: breaker.code,
        reason: breaker.reason,
      },
    }),
    ...(resting !== undefined && { resting }),
  };
}
