import * as df from 'durable-functions';
import { listOrphans, type OrphanView, removeAllOrphans } from '../../../shared/api/routes/orphans.ts';
import { orphanImages } from '../../../shared/machines/golden/golden-steps.ts';
import { priceOf } from '../../../shared/machines/offerings/prices.ts';
import { orphanCost } from '../../../shared/machines/orphan-cost.ts';
import { type Orphan, orphansOf } from '../../../shared/machines/orphans.ts';
import type { Services } from '../../services.ts';
import { sightMachines } from '../../sight-machines.ts';
import { startOrphanRemoval } from '../../start-orphan-removal.ts';
import { endpoint } from '../endpoint.ts';

export const list = endpoint(
  listOrphans,
  async ({ services, context }) => {
    const { resources, images } = await look(services, df.getClient(context));
    return { orphans: [...resources.map(viewOf(services)), ...images.map(imageView)] };
  },
  { durable: true },
);

export const remove = endpoint(
  removeAllOrphans,
  async ({ services, context }) => {
    const client = df.getClient(context);
    const { resources, images } = await look(services, client);
    const ofMachine = Map.groupBy(
      resources.filter(({ spared }) => !spared),
      ({ machine }) => machine,
    );
    for (const [machine, orphans] of ofMachine) await startOrphanRemoval(client, machine, orphans);
    for (const { name } of images) await services.machineImages.remove(name);
    return { orphans: [...resources.map(viewOf(services)), ...images.map(imageView)] };
  },
  { durable: true },
);

async function look(made: Services, client: df.DurableClient) {
  const sighted = await sightMachines(made, client);
  const [records, tagged] = await Promise.all([made.golden.list(), made.machineImages.tagged()]);
  const { now, records: machines } = sighted;
  return {
    resources: orphansOf(sighted),
    images: orphanImages({ now, records, resources: tagged, machines }),
  };
}

const viewOf =
  ({ settings }: Pick<Services, 'settings'>) =>
  (orphan: Orphan): OrphanView => {
    const { kind, name, machine, createdAt, reason, spared } = orphan;
    const hourly = orphanCost(orphan, (size) => priceOf(settings.location, size));
    return {
      kind,
      name,
      machine,
      ...(createdAt !== undefined && { createdAt }),
      reason,
      spared,
      ...(hourly !== undefined && { hourly }),
    };
  };

const imageView = ({
  name,
  createdAt,
}: Pick<OrphanView, 'name'> & { createdAt: string | undefined }): OrphanView => ({
  kind: 'image',
  name,
  machine: '',
  ...(createdAt !== undefined && { createdAt }),
  reason: 'no golden image has it',
  spared: false,
});
