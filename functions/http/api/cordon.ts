import { getClient } from 'durable-functions';
import { cordonMachine, evictMachine, uncordonMachine } from '../../../shared/api/routes/cordon.ts';
import { cordoned, expectCordonable, uncordoned } from '../../../shared/machines/replacement/cordon.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import type { MachineName } from '../../../shared/model/names.ts';
import { setClosed } from '../../../shared/scheduling/close-room.ts';
import type { Services } from '../../services.ts';
import { startDrain } from '../../start-drain.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

export const cordon = endpoint(
  cordonMachine,
  async ({ params, body, services, context }) => {
    const { machines, tables, now } = services;
    expectCordonable(await known(params.machine, services));
    const since = now();
    const { reason, drain, timeout } = body;
    const until =
      timeout === undefined ? undefined : new Date(since.getTime() + timeout * 1000).toISOString();
    const wanted = {
      since: since.toISOString(),
      by: 'user',
      reason,
      drain,
      ...(until !== undefined && { until }),
    } as const;
    await machines.change(params.machine, (machine) => cordoned(machine, wanted));
    const machine = await known(params.machine, services);
    await setClosed(tables, machine, true);
    if (machine.cordon?.drain === true) await startDrain(getClient(context), machine.name);
    return { machine };
  },
  { durable: true },
);

export const uncordon = endpoint(uncordonMachine, async ({ params, services }) => {
  await services.machines.change(params.machine, uncordoned);
  const machine = await known(params.machine, services);
  if (machine.cordon === undefined) await setClosed(services.tables, machine, false);
  return { machine };
});

export const evict = endpoint(evictMachine, async ({ params, services }) => {
  const machine = await known(params.machine, services);
  if (machine.priority !== 'spot')
    throw new Terminal({
      code: 'machine-not-spot',
      status: 409,
      message: `${machine.name} is no spot machine: Azure does not take it back.`,
      remedy: `To move what is on it: berth machine drain ${machine.name}`,
    });
  await services.evictions.simulate(machine.resources.vm);
  return { machine };
});

async function known(name: MachineName, { machines }: Pick<Services, 'machines'>): Promise<Machine> {
  const machine = await machines.get(name);
  if (machine === undefined) throw notFound('machine', name, 'List them: berth machine ls');
  return machine;
}
