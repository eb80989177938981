import type { DurableClient } from 'durable-functions';
import { newMachineName } from '../../shared/machines/machine-names.ts';
import type { SweepStep } from '../../shared/machines/orphans.ts';
import type { PoolStep } from '../../shared/machines/pool-steps.ts';
import {
  provisioningId,
  provisionMachine,
  retireMachine,
  retirementId,
} from '../../shared/machines/provisioning.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { closeRoom } from '../../shared/scheduling/close-room.ts';
import type { Services } from '../services.ts';

export type MachineStep = SweepStep | PoolStep;

/** Takes one step of the sweep of machines. */
export async function takeMachineStep(
  step: MachineStep,
  made: Pick<Services, 'now' | 'machines' | 'cloud' | 'engineOf' | 'tables'>,
  client: DurableClient,
  pause: number,
): Promise<void> {
  switch (step.step) {
    case 'delete-resource':
      await made.cloud.deleteResource(step.kind, step.name);
      return;
    case 'retire-machine':
      return await startRetirement(client, step.machine, step.reason);
    case 'retire-idle':
      if (await closeRoom(made.tables, step.machine))
        await startRetirement(client, step.machine, step.reason);
      return;
    case 'add-machine': {
      const { pool, spec } = step;
      const machine = newMachineName(pool, Math.random);
      const input = { pool, spec, machine, cause: `sweep ${step.reason}` };
      await client.startNew(provisionMachine.name, { instanceId: provisioningId(machine), input });
      return;
    }
    case 'note-idle': {
      const idleSince = made.now().toISOString();
      await made.machines.change(step.machine.name, (machine) => ({ ...machine, idleSince }));
      return;
    }
    case 'note-busy':
      await made.machines.change(step.machine.name, ({ idleSince: _, ...machine }) => machine);
      return;
    case 'ask-engine':
      return await askEngine(step.machine, made, pause);
    case 'forget-machine':
      return await made.machines.remove(step.machine.name);
  }
}

async function startRetirement(
  client: DurableClient,
  { name, pool }: Machine,
  reason: string,
): Promise<void> {
  const input = { pool, machine: name, reason };
  await client.startNew(retireMachine.name, { instanceId: retirementId(name), input });
}

/** How often a machine that was not heard is asked before it counts as silent: with its pauses longer than a boot takes. */
const ASKED = 9;

/** An engine that answers is as good as a report; so is a report that comes while it is asked. */
async function askEngine(
  { name, address }: Machine,
  { engineOf, machines, now }: Pick<Services, 'engineOf' | 'machines' | 'now'>,
  pause: number,
): Promise<void> {
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
  await machines.change(name, (machine) => {
    if (machine.status.state !== 'ready' || (machine.heardAt ?? '') > began) return undefined;
    return alive ? { ...machine, heardAt: at } : { ...machine, status: { state: 'silent', since: at } };
  });
}
