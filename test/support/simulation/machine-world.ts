import { InvocationContext } from '@azure/functions';
import { provision } from '../../../functions/orchestrators/provision-machine.ts';
import { removeThem } from '../../../functions/orchestrators/remove-orphans.ts';
import { retire } from '../../../functions/orchestrators/retire-machine.ts';
import type { Services } from '../../../functions/services.ts';
import { startRetirement } from '../../../functions/start-retirement.ts';
import { sweepMachines } from '../../../functions/timers/sweep-machines.ts';
import { ensureEngineCa } from '../../../shared/certificates/engine-ca.ts';
import { memoryEngine } from '../../../shared/docker/engine.memory.ts';
import { consoles } from '../../../shared/machines/consoles.ts';
import { heard } from '../../../shared/machines/heard.ts';
import { READY_EVENT } from '../../../shared/machines/machine-activities.ts';
import { machineStore } from '../../../shared/machines/machine-store.ts';
import { type Provisioned, ProvisionMachine, provisioningId } from '../../../shared/machines/provisioning.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { MachineName, PoolName } from '../../../shared/model/names.ts';
import type { PoolSpec } from '../../../shared/model/pool.ts';
import type { Capacity } from '../../../shared/scheduling/capacity.ts';
import { Secret } from '../../../shared/secrets/secret.ts';
import { blobSecrets } from '../../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import type { Tables } from '../../../shared/state/tables.ts';
import { placeOf, stores } from '../../../shared/workloads/stores.ts';
import { machineActivities } from '../machine-activities.ts';
import { poolServices } from '../pools.ts';
import { durableHost } from './durable-host.ts';
import { type ArmCall, type ArmFault, simulatedArm } from './simulated-arm.ts';
import { type Draws, VirtualTime } from './virtual-time.ts';

export const POOL = PoolName.parse('default');

/** One for all worlds: it takes real time to make. */
const ca = ensureEngineCa(
  blobSecrets(memoryBlobs(), {
    current: new Secret(Buffer.alloc(32, 1).toString('base64')),
    previous: undefined,
  }),
);

/** What goes wrong in a world; nothing once `stop` was called. */
export interface Troubles {
  arm(call: ArmCall, name: string): ArmFault | undefined;
  /** Whether storage fails before or after this write. */
  storage(): 'before' | 'after' | undefined;
  crashes(activity: string): boolean;
  /** What a VM does once it is up: reports, says nothing, or reports so that the event is lost. */
  boots(): 'ready' | 'silent' | 'event-lost';
}

/** Machines of one pool with everything real but Azure, storage and the clock. */
export async function machineWorld(random: Draws, spec: PoolSpec, troubles: Troubles) {
  await ca;
  const time = new VirtualTime('2026-11-25T00:00:00Z');
  const memory = memoryTables();
  const tables = shaky(memory, time, troubles, random);
  const machines = machineStore(tables);
  const documents = stores(memory);
  let most = 0;
  const arm = simulatedArm(time, random, {
    lagMs: 60_000,
    fault: (call, name) => troubles.arm(call, name),
    booted: (machine, vm) => void comesUp(MachineName.parse(machine), vm).catch(() => {}),
    changed: (held) => {
      most = Math.max(most, [...held.values()].filter(({ kind }) => kind === 'vm').length);
    },
  });
  const engine = memoryEngine('m', time.now);
  const services = {
    settings: {
      subscription: '11111111-1111-4111-8111-111111111111',
      resourceGroup: 'berth-machines',
      hostname: 'app.example.org',
      network: '10.20.0.0/16',
    },
    now: time.now,
    engineCa: () => ca,
    machines,
    tables,
    stores: stores(tables),
    engineOf: async () => engine,
    cloud: arm.cloud,
    ...poolServices({ tables, now: time.now, random: random.next, sleep: time.sleep, spec }),
    consoles: consoles(memoryBlobs()),
  } as unknown as Services;
  const host = durableHost(time, random, {
    activities: machineActivities,
    orchestrators: {
      'provision-machine': provision,
      'retire-machine': retire,
      'remove-orphans': removeThem,
    } as Parameters<typeof durableHost>[2]['orchestrators'],
    services: () => services,
    crashes: (name) => troubles.crashes(name),
  });
  const room: Capacity = services.workloads.capacity;
  await documents.pools.upsert(...placeOf.pool(POOL), spec);

  /** The VM is up: its agent reports every 10 s until somebody heard it. */
  async function comesUp(machine: MachineName, vm: string): Promise<void> {
    const how = troubles.boots();
    await time.sleep(random.between(20_000, 90_000));
    for (let tries = 0; how !== 'silent' && tries < 60; tries += 1) {
      if (!arm.held.has(`vm/${vm}`)) return;
      const changed = await machines
        .change(machine, (current) =>
          current.resources.vm === vm && ['booting', 'ready'].includes(current.status.state)
            ? heard(current, time.now())
            : undefined,
        )
        .catch(() => undefined);
      if (changed?.status.state === 'ready' && how === 'ready')
        await host.client.raiseEvent(changed.owner, READY_EVENT, changed).catch(() => {});
      await time.sleep(10_000);
    }
  }

  const goes = (machine: Machine) =>
    startRetirement(host.client, machine, 'not needed', { since: time.now().toISOString(), forget: true });
  let demands = 0;
  return {
    time,
    host,
    machines,
    services,
    ...arm,
    most: () => most,
    /** Somebody needs a machine of its own, and waits until it is ready or there is none. */
    async need(): Promise<Provisioned | undefined> {
      demands += 1;
      const owner = `need-${demands}`;
      const reserved = await room.reserve(POOL, {
        reservation: owner,
        group: owner,
        demand: { cpu: 1.5, memory: 512, port: undefined } as never,
        avoid: [],
        owner,
      });
      if (reserved.outcome !== 'reserved' || reserved.owner !== owner) return undefined;
      const input = ProvisionMachine.parse({ pool: POOL, spec, machine: reserved.machine, cause: owner });
      return (await host.start('provision-machine', provisioningId(reserved.machine), input)) as Provisioned;
    },
    sweep: () =>
      sweepMachines(services, host.client, new InvocationContext({ logHandler: () => {} }), 0).catch(
        () => {},
      ),
    remove: goes,
    async removeAll(): Promise<void> {
      for (const machine of await machines.list()) await goes(machine);
    },
  };
}
export type MachineWorld = Awaited<ReturnType<typeof machineWorld>>;

/** Storage whose writes take their time, and may fail before or after they were done. */
function shaky(tables: Tables, time: VirtualTime, troubles: Troubles, random: Draws): Tables {
  return {
    async read(...given) {
      await time.sleep(random.between(1, 20));
      return tables.read(...given);
    },
    list: (...given) => tables.list(...given),
    async commit(...given) {
      await time.sleep(random.between(1, 20));
      const trouble = troubles.storage();
      if (trouble === 'before') throw new Error('storage: not done');
      const etags = await tables.commit(...given);
      if (trouble === 'after') throw new Error('storage: done, but the answer is lost');
      return etags;
    },
  };
}
