import { describe, expect, it } from 'vitest';
import { PoolSpec } from '../../shared/model/pool.ts';
import { long, seed } from '../support/sample.ts';
import { type MachineWorld, machineWorld, type Troubles } from '../support/simulation/machine-world.ts';
import type { ArmCall, ArmFault } from '../support/simulation/simulated-arm.ts';
import { type Draws, draws } from '../support/simulation/virtual-time.ts';

const RUNS = long ? 500 : 50;
const MINUTE = 60_000;

const calm: Troubles = {
  arm: () => undefined,
  storage: () => undefined,
  crashes: () => false,
  boots: () => 'ready',
};

/** ARM's refusals, at once or inside the operation. */
const REFUSALS = [
  ['AllocationFailed', 'no capacity'],
  ['SkuNotAvailable', 'not in this region'],
  ['QuotaExceeded', 'exceeding approved standardBSFamily Cores quota'],
  ['OperationNotAllowed', 'exceeding approved Total Regional Cores quota'],
  ['OSProvisioningTimedOut', 'OS provisioning did not finish in the allotted time'],
  ['AnotherOperationInProgress', 'wait'],
  ['InternalServerError', 'try again'],
  ['InvalidParameter', 'not so'],
] as const;

function anyFault(random: Draws): ArmFault {
  const [code, message] = random.one(REFUSALS);
  const afterMs = random.between(500, 20_000);
  return random.one<ArmFault>([
    { when: 'before' },
    { when: 'reply-lost' },
    { when: 'late', afterMs },
    { when: 'at-once', code, message },
    { when: 'in-operation', code, message },
    { when: 'slow', milliseconds: random.between(10_000, 40 * MINUTE) },
  ]);
}

/** Trouble of every kind, as often as the seed has it, until it is stopped. */
function anyTrouble(random: Draws): Troubles & { stop(): void } {
  let on = true;
  const armRate = random.one([0.02, 0.1, 0.3]);
  const storageRate = random.one([0, 0.01, 0.05]);
  const crashRate = random.one([0, 0.05, 0.2]);
  const happens = (rate: number) => on && random.happens(rate);
  return {
    stop: () => {
      on = false;
    },
    arm: (call) =>
      happens(call === 'poll' || call === 'read' || call === 'list' ? armRate / 3 : armRate)
        ? call === 'poll' || call === 'read' || call === 'list'
          ? random.one([{ when: 'before' }, { when: 'reply-lost' }])
          : anyFault(random)
        : undefined,
    storage: () => (happens(storageRate) ? random.one(['before', 'after']) : undefined),
    crashes: () => happens(crashRate),
    boots: () => (happens(0.2) ? random.one(['silent', 'event-lost']) : 'ready'),
  };
}

/** The machines that are, and that ARM has nothing else of ours. */
async function expectNothingLeft(world: MachineWorld): Promise<void> {
  const records = await world.machines.list();
  const wanted = records
    .filter(({ status }) => status.state === 'ready')
    .flatMap(({ resources: { vm, nic, disk } }) => [`vm/${vm}`, `nic/${nic}`, `disk/${disk}`]);
  expect([...world.held.keys()].sort()).toEqual(wanted.sort());
  for (const { status } of records) expect(['ready', 'failed']).toContain(status.state);
  for (const { leftovers } of records) expect(leftovers).toEqual([]);
}

/** What an hour's rest, and two sweeps, make of it; the sweep is a minute's timer, and spares what is young. */
async function sweepTwice(world: MachineWorld): Promise<void> {
  await world.time.pass(4 * MINUTE);
  for (let sweeps = 0; sweeps < 2; sweeps += 1) {
    await during(world, () => world.sweep());
    await world.time.pass(20 * MINUTE);
  }
}

/** Lets time pass until something is done. */
async function during<T>(world: MachineWorld, work: () => Promise<T>): Promise<T> {
  let ended = false;
  const done = work().finally(() => {
    ended = true;
  });
  while (!ended) await world.time.pass(1_000);
  return await done;
}

const spec = (more: Record<string, unknown> = {}) =>
  PoolSpec.parse({ sizes: ['Standard_B2s', 'Standard_D2s_v5'], ...more });

describe('each step of ARM, failed before, during and after', () => {
  const calls: readonly ArmCall[] = ['create network', 'create nic', 'create vm', 'poll', 'read'];
  const faults: readonly ArmFault[] = [
    { when: 'before' },
    { when: 'reply-lost' },
    { when: 'late', afterMs: 5_000 },
    { when: 'at-once', code: 'InvalidParameter', message: 'not so' },
    { when: 'in-operation', code: 'AllocationFailed', message: 'no capacity' },
    { when: 'in-operation', code: 'InternalServerError', message: 'try again' },
    { when: 'slow', milliseconds: 30 * MINUTE },
  ];
  const each = calls.flatMap((call) =>
    faults
      .filter(({ when }) => ['before', 'reply-lost'].includes(when) || call.startsWith('create'))
      .flatMap((fault) => [1, 3, 12].map((times) => ({ call, fault, times, when: fault.when }))),
  );
  it.each(each)('$call, $when, $times times', async ({ call, fault, times }) => {
    // What else ARM does as it likes: how long it takes, what it deletes with a VM.
    for (let drawn = seed; drawn < seed + 3; drawn += 1) await failing(call, fault, times, drawn);
  });

  async function failing(call: ArmCall, fault: ArmFault, times: number, drawn: number): Promise<void> {
    let left = times;
    const world = await machineWorld(draws(drawn), spec(), {
      ...calm,
      arm: (one) => {
        if (one !== call || left === 0) return undefined;
        left -= 1;
        return fault;
      },
    });
    const made = await during(world, () => world.need());
    expect(world.most()).toBeLessThanOrEqual(1);
    if (made?.status === 'failed') {
      // Deleted at once, not by a sweep; what ARM may still do is the sweep's.
      if (!['late', 'slow'].includes(fault.when)) expect([...world.held.keys()]).toEqual([]);
      expect(made.reason).toMatch(/^(Making|Removing) .+ failed: .+/s);
    }
    await sweepTwice(world);
    await expectNothingLeft(world);
  }
});

describe('each deletion, failed before, during and after', () => {
  const calls: readonly ArmCall[] = ['delete vm', 'delete nic', 'delete disk', 'poll'];
  const faults: readonly ArmFault[] = [
    { when: 'before' },
    { when: 'reply-lost' },
    { when: 'late', afterMs: 5_000 },
    { when: 'at-once', code: 'AnotherOperationInProgress', message: 'wait' },
    { when: 'at-once', code: 'ScopeLocked', message: 'locked' },
    { when: 'in-operation', code: 'InternalServerError', message: 'try again' },
  ];
  const each = calls.flatMap((call) =>
    faults
      .filter(({ when }) => ['before', 'reply-lost'].includes(when) || call !== 'poll')
      .flatMap((fault) => [1, 12].map((times) => ({ call, fault, times, when: fault.when }))),
  );
  it.each(each)('$call, $when, $times times', async ({ call, fault, times }) => {
    let left = 0;
    const world = await machineWorld(draws(seed), spec(), {
      ...calm,
      arm: (one) => {
        if (one !== call || left === 0) return undefined;
        left -= 1;
        return fault;
      },
    });
    expect(await during(world, () => world.need())).toMatchObject({ status: 'ready' });
    left = times;
    await during(world, () => world.removeAll());
    await world.time.pass(10 * MINUTE);
    left = 0;
    await sweepTwice(world);
    expect([...world.held.keys()]).toEqual([]);
    expect(await world.machines.list()).toEqual([]);
  });
});

describe('machines under troubles of every kind, several at once', () => {
  it.each(Array.from({ length: RUNS }, (_, index) => seed * 1_000 + index))(
    'seed %i: nothing is left after two sweeps, and never more than the maximum',
    async (number) => {
      const random = draws(number);
      const maximum = random.between(1, 4);
      const troubles = anyTrouble(random);
      const world = await machineWorld(
        random,
        spec({ maximum, minimum: random.between(0, maximum), spares: random.between(0, 1), idle: 86_400 }),
        troubles,
      );
      const { time, host } = world;
      world.leave('public-ip', 'old-ip', 'old');
      world.leave('security-group', 'old-firewall', 'old');
      world.leave('nic', 'old-nic', 'old');

      const ends = time.now().getTime() + random.between(5, 40) * MINUTE;
      const stormy = () => time.now().getTime() < ends;
      const needy = async () => {
        await time.sleep(random.between(0, 5 * MINUTE));
        while (stormy()) {
          const made = await world.need().catch(() => undefined);
          await time.sleep(random.between(1_000, 5 * MINUTE));
          if (made?.status === 'ready' && stormy()) await world.remove(made.machine).catch(() => undefined);
        }
      };
      const interruptions = random.one([0, 0.1, 0.5]);
      const sweeps = async () => {
        while (stormy()) {
          await time.sleep(MINUTE);
          await world.sweep();
          if (random.happens(interruptions)) host.interrupt(random.one(['', ...host.going()]));
        }
      };
      for (let count = random.between(1, 6); count > 0; count -= 1) void needy();
      void sweeps();
      await time.runUntil(ends);

      // The storm is over; what was under way is as if the app had been deleted with its storage's last minutes.
      troubles.stop();
      for (const id of host.going()) if (random.happens(0.5)) host.interrupt(id);
      await time.pass(20 * MINUTE);
      await sweepTwice(world);
      expect(world.most()).toBeLessThanOrEqual(maximum);
      await expectNothingLeft(world);

      await during(world, () => world.removeAll());
      await time.pass(20 * MINUTE);
      expect([...world.held.keys()]).toEqual([]);
      expect(await world.machines.list()).toEqual([]);
    },
  );
});
