import { getMachine, listMachines } from '../../../shared/api/routes/machines.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { all } from '../../../shared/workloads/stores.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';
import { replicaView } from './service-views.ts';

export const list = endpoint(listMachines, async ({ services }) => ({
  machines: await all(services.stores.machines.list({})),
}));

export const get = endpoint(getMachine, async ({ params, services }) => {
  const { machines, replicas } = services.stores;
  const { machine: name } = params;
  const found: Machine[] = await all(machines.list({ from: name, to: `${name}!` }));
  const machine = found.find((candidate) => candidate.name === name);
  if (machine === undefined) throw notFound('machine', name, 'List them: berth machines list');
  const containers = await all(replicas.list({}));
  return { machine, replicas: containers.filter((replica) => replica.machine === name).map(replicaView) };
});
