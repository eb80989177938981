import { describe, expect, it } from 'vitest';
import { PoolName } from '../../shared/model/names.ts';
import { PoolSpec } from '../../shared/model/pool.ts';
import { placeOf } from '../../shared/workloads/stores.ts';
import { seed } from '../support/sample.ts';
import { type MachineWorld, machineWorld, type Troubles } from '../support/simulation/machine-world.ts';
import { draws } from '../support/simulation/virtual-time.ts';

const MINUTE = 60_000;
const pool = PoolName.parse('default');
const calm: Troubles = {
  arm: () => undefined,
  storage: () => undefined,
  crashes: () => false,
  boots: () => 'ready',
};

/** Lets time pass until something is done. */
async function during<T>(world: MachineWorld, work: () => Promise<T>): Promise<T> {
  let ended = false;
  const done = work().finally(() => {
    ended = true;
  });
  while (!ended) await world.time.pass(1_000);
  return await done;
}

async function worldOf(wanted: object, troubles: Troubles = calm) {
  const spec = PoolSpec.parse(wanted);
  const world = await machineWorld(draws(seed), spec, troubles);
  await during(world, () => world.services.stores.pools.upsert(...placeOf.pool(pool), spec));
  const minutes = async (count: number) => {
    for (let minute = 0; minute < count; minute += 1) {
      await during(world, () => world.sweep());
      await world.time.pass(MINUTE);
    }
  };
  const vms = () => [...world.held.keys()].filter((key) => key.startsWith('vm/')).length;
  const ready = async () =>
    (await world.machines.list()).filter(({ status }) => status.state === 'ready').length;
  return { ...world, world, minutes, vms, ready };
}

describe('a pool under a burst', () => {
  it('goes from zero to its maximum, never beyond, and back to zero when nothing is reserved any more', async () => {
    const { world, minutes, vms, ready, most, need, services } = await worldOf({ maximum: 3, idle: 60 });
    await minutes(2);
    expect(vms()).toBe(0);
    const burst = await during(world, () => Promise.all(Array.from({ length: 7 }, () => need())));
    expect(burst.filter((one) => one?.status === 'ready')).toHaveLength(3);
    expect([most(), await ready()]).toEqual([3, 3]);
    await minutes(5);
    expect(await ready()).toBe(3);
    await during(world, async () => {
      for (let number = 1; number <= 7; number += 1)
        await services.workloads.capacity.release(pool, `need-${number}`);
    });
    await minutes(30);
    expect([vms(), (await world.machines.list()).length, most()]).toEqual([0, 0, 3]);
    // Its place in the books is free again.
    expect((await during(world, () => need()))?.status).toBe('ready');
  });

  it('keeps its minimum and its spares, within its hourly limit', async () => {
    // 0.048 USD per hour each: the limit leaves two.
    const { minutes, ready, most } = await worldOf({ maximum: 9, minimum: 1, spares: 4, hourlyLimit: 0.1 });
    await minutes(20);
    expect([await ready(), most()]).toEqual([2, 2]);
  });

  it('asks less and less where no machine ever registers, and then one an hour', async () => {
    const troubles: Troubles = { ...calm, boots: () => 'silent' };
    const { world, minutes, vms, machines, services } = await worldOf(
      { maximum: 3, minimum: 1, registerWithin: 60 },
      troubles,
    );
    await minutes(120);
    const launched = (await machines.list()).length;
    expect(launched).toBeGreaterThanOrEqual(5);
    expect(launched).toBeLessThanOrEqual(7);
    expect(await during(world, () => services.breakers.get(pool))).toMatchObject({
      state: 'open',
      code: 'machine-not-registered',
    });
    expect(vms()).toBeLessThanOrEqual(1);
  });
});
