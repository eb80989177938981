import { type ReplicaUsage, readUsage } from '../../../shared/api/routes/usage.ts';
import { Retryable, Terminal } from '../../../shared/model/errors.ts';
import type { Replica } from '../../../shared/model/service.ts';
import { all } from '../../../shared/workloads/stores.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { replicasOf, replicaView, servicesIn } from './service-views.ts';

/** Containers of one machine that are asked for at once. */
const AT_ONCE = 8;

export const read = endpoint(readUsage, async ({ params, query, services }) => {
  const { stores } = services;
  const found = await servicesIn(stores, params.environment, query.application);
  const rows = (await Promise.all(found.map(({ key }) => replicasOf(stores, key)))).flat();
  const byMachine = Map.groupBy(rows, ({ machine }) => machine);
  const [lists, machines] = await Promise.all([
    Promise.all([...byMachine.values()].map((own) => usageOn(services, own))),
    all(stores.machines.list({})),
  ]);
  return {
    replicas: lists.flat(),
    machines: machines
      .filter(({ name }) => byMachine.has(name))
      .map(({ name, cpu, memory }) => ({ name, cpu, memory })),
  };
});

async function usageOn(
  { accessOf }: Pick<Services, 'accessOf'>,
  rows: readonly Replica[],
): Promise<ReplicaUsage[]> {
  const answers: ReplicaUsage[] = [];
  for (let at = 0; at < rows.length; at += AT_ONCE)
    answers.push(
      ...(await Promise.all(
        rows.slice(at, at + AT_ONCE).map(async (row) => {
          const { key, machine, address, containerId } = row;
          const usage =
            containerId === undefined || address === ''
              ? undefined
              : await accessOf({ name: machine, address })
                  .then((access) => access.usage(containerId))
                  .catch((error: unknown) => {
                    if (error instanceof Retryable || error instanceof Terminal) return undefined;
                    throw error;
                  });
          return { key, replica: replicaView(row).name, machine, ...(usage && { usage }) };
        }),
      )),
    );
  return answers;
}
