import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { type SweepStep, sweepSteps, unrecorded } from '../../shared/machines/orphans.ts';
import { retireMachine, retirementId } from '../../shared/machines/provisioning.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { isGoing } from '../instances.ts';
import { type Services, services } from '../services.ts';

/**
 * Compares machines with what ARM has and with what was heard of them, and mends what differs.
 * @param pause milliseconds between the two questions to an engine whose machine was not heard
 */
export async function sweepMachines(
  made: Pick<Services, 'now' | 'machines' | 'cloud' | 'stores' | 'engineOf'>,
  client: df.DurableClient,
  context: InvocationContext,
  pause = 5_000,
): Promise<void> {
  const [records, resources] = await Promise.all([made.machines.list(), made.cloud.tagged()]);
  const going = await goingOf(records, client);
  const isNeeded = unrecorded({ records, resources }).size > 0;
  const occupied = isNeeded ? await occupiedMachines(made) : new Set<string>();
  const steps = sweepSteps({ now: made.now(), records, resources, going, occupied });
  const results = await Promise.allSettled(
    steps.map(async (step) => {
      context.log(`sweep: ${step.step} ${'machine' in step ? step.machine.name : step.name}: ${step.reason}`);
      await take(step, made, client, pause);
    }),
  );
  for (const result of results) if (result.status === 'rejected') context.error('sweep:', result.reason);
}

async function take(
  step: SweepStep,
  made: Pick<Services, 'now' | 'machines' | 'cloud' | 'engineOf'>,
  client: df.DurableClient,
  pause: number,
): Promise<void> {
  switch (step.step) {
    case 'delete-resource': {
      const { kind, name } = step;
      const { cloud } = made;
      if (kind === 'vm') await cloud.deleteVirtualMachine(name);
      else if (kind === 'nic') await cloud.deleteNic(name);
      else await cloud.deleteDisk(name);
      return;
    }
    case 'retire-machine': {
      const { name, pool } = step.machine;
      const input = { pool, machine: name, reason: step.reason };
      await client.startNew(retireMachine.name, { instanceId: retirementId(name), input });
      return;
    }
    case 'ask-engine':
      return await askEngine(step.machine, made, pause);
    case 'forget-machine':
      return await made.machines.remove(step.machine.name);
  }
}

/** An engine that answers is as good as a report. */
async function askEngine(
  { name, address }: Machine,
  { engineOf, machines, now }: Pick<Services, 'engineOf' | 'machines' | 'now'>,
  pause: number,
): Promise<void> {
  const answers = async () => {
    if (address === undefined) return false;
    const engine = await engineOf({ name, address });
    return await engine.version().then(
      () => true,
      () => false,
    );
  };
  let alive = await answers();
  if (!alive) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    alive = await answers();
  }
  const at = now().toISOString();
  await machines.change(name, (machine) => {
    if (machine.status.state !== 'ready') return undefined;
    return alive ? { ...machine, heardAt: at } : { ...machine, status: { state: 'silent', since: at } };
  });
}

/** Owners whose orchestration is going on, of the records for which that matters. */
async function goingOf(records: readonly Machine[], client: df.DurableClient): Promise<Set<string>> {
  const going = await Promise.all(
    records
      .filter(({ status }) => status.state !== 'ready' && status.state !== 'silent')
      .map(async ({ owner }) => ((await isGoing(client, owner)) ? [owner] : [])),
  );
  return new Set(going.flat());
}

async function occupiedMachines({ stores }: Pick<Services, 'stores'>): Promise<Set<string>> {
  const occupied = new Set<string>();
  for await (const { value } of stores.replicas.list({})) occupied.add(value.machine);
  return occupied;
}

app.timer('sweep-machines', {
  schedule: '20 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => sweepMachines(services(), df.getClient(context), context),
});
