import type { DurableClient } from 'durable-functions';
import { newMachineName } from '../../shared/machines/machine-names.ts';
import type { PoolStep } from '../../shared/machines/pool-steps.ts';
import { provisioningId, provisionMachine } from '../../shared/machines/provisioning.ts';
import { leftOn } from '../../shared/machines/replacement/drain-state.ts';
import type { SweepStep } from '../../shared/machines/sweep-steps.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { closeRoom, reservationsOf } from '../../shared/scheduling/close-room.ts';
import { askToMove } from '../ask-to-move.ts';
import type { Services } from '../services.ts';
import { startOrphanRemoval } from '../start-orphan-removal.ts';
import { startRetirement } from '../start-retirement.ts';

export type MachineStep = SweepStep | PoolStep;

/** Takes one step of the sweep of machines. */
export async function takeMachineStep(
  step: MachineStep,
  made: Services,
  client: DurableClient,
  pause: number,
): Promise<void> {
  switch (step.step) {
    case 'remove-orphans':
      return await startOrphanRemoval(client, step.name, step.orphans);
    case 'retire-machine':
      return await retire(step.machine, step.reason, made, client);
    case 'retire-idle':
      if (await closeRoom(made.tables, step.machine)) await retire(step.machine, step.reason, made, client);
      return;
    case 'add-machine': {
      const { pool, spec } = step;
      const machine = newMachineName(pool, Math.random);
      const owner = provisioningId(machine);
      // The pool may have reached its limits since it was looked at: then the next sweep looks again.
      const added = await made.workloads.capacity.add(pool, { machine, owner });
      if (added.outcome !== 'added') return;
      const input = { pool, spec, machine, cause: `sweep ${step.reason}` };
      await client.startNew(provisionMachine.name, { instanceId: owner, input });
      return;
    }
    case 'end-failures':
      return await made.breakers.succeeded(step.pool, step.readySince);
    case 'note-idle': {
      const idleSince = made.now().toISOString();
      await made.machines.change(step.machine.name, (machine) => ({ ...machine, idleSince }));
      return;
    }
    case 'label-machine': {
      const { labels } = step;
      await made.machines.change(step.machine.name, (machine) => ({ ...machine, labels }));
      return;
    }
    case 'note-busy':
      await made.machines.change(step.machine.name, ({ idleSince: _, ...machine }) => machine);
      return;
    case 'settle-power':
      return await settlePower(step.machine, made);
    case 'ask-engine':
      if (await isSilent(step.machine, made, pause)) await askElsewhere(step.machine, made, client);
      return;
    case 'note-removed': {
      const gone = new Set(step.machine.leftovers.map(({ vm }) => vm));
      await made.machines.change(step.machine.name, (machine) => ({
        ...machine,
        leftovers: machine.leftovers.filter(({ vm }) => !gone.has(vm)),
      }));
      return;
    }
    case 'forget-machine':
      await made.consoles.remove(step.machine.name);
      return await made.machines.remove(step.machine.name);
  }
}

/** What the sweep saw may be over: a machine may have become ready since. */
async function retire(
  machine: Machine,
  reason: string,
  { now }: Pick<Services, 'now'>,
  client: DurableClient,
): Promise<void> {
  const expected = { state: machine.status.state, owner: machine.owner };
  await startRetirement(client, machine, reason, { expected, since: now().toISOString() });
}

/** Off is off; one that runs reports, and is silent until it does. */
async function settlePower(
  { name, owner, resources }: Machine,
  { machines, cloud, now }: Pick<Services, 'machines' | 'cloud' | 'now'>,
): Promise<void> {
  const power = (await cloud.virtualMachine(resources.vm))?.power;
  const state = power === 'deallocated' || power === 'stopped' ? 'stopped' : 'silent';
  const since = now().toISOString();
  await machines.change(name, (machine) =>
    machine.owner === owner && (machine.status.state === 'stopping' || machine.status.state === 'starting')
      ? { ...machine, status: { state, since } }
      : undefined,
  );
}

/** How often a machine that was not heard is asked before it counts as silent: with its pauses longer than a boot takes. */
const ASKED = 9;

/** What is on a silent machine is lost: its services are asked for others at once. */
async function askElsewhere(machine: Machine, made: Services, client: DurableClient): Promise<void> {
  const { services } = leftOn(machine.name, await reservationsOf(machine.pool, made.tables));
  const reason = `machine ${machine.name} is silent`;
  await askToMove(machine, services, { reason, period: made.now().toISOString() }, made, client);
}

/**
 * An engine that answers is as good as a report; so is a report that comes while it is asked.
 * @returns whether the machine is silent from now on
 */
async function isSilent(
  { name, address }: Machine,
  { engineOf, machines, now }: Pick<Services, 'engineOf' | 'machines' | 'now'>,
  pause: number,
): Promise<boolean> {
  const began = now().toISOString();
  const answers = async () => {
    if (address === undefined) return false;
    const engine = await engineOf({ name, address });
    return await engine.version().then(
      () => true,
      () => false,
    );
  };
  let alive = await answers();
  for (let asked = 1; !alive && asked < ASKED; asked += 1) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    alive = await answers();
  }
  const at = now().toISOString();
  const changed = await machines.change(name, (machine) => {
    if (machine.status.state !== 'ready' || (machine.heardAt ?? '') > began) return undefined;
    return alive ? { ...machine, heardAt: at } : { ...machine, status: { state: 'silent', since: at } };
  });
  return changed?.status.state === 'silent' && changed.status.since === at;
}
