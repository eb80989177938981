import { listMachineImages, type MachineImageView } from '../../../shared/api/routes/machine-images.ts';
import { type GoldenImage, imageIdOf } from '../../../shared/machines/golden/golden-image.ts';
import { nextAttempt } from '../../../shared/machines/golden/golden-steps.ts';
import { profileOf } from '../../../shared/machines/golden/profile.ts';
import { PoolName } from '../../../shared/model/names.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';

export const list = endpoint(listMachineImages, async ({ services }) => {
  const [images, pools, machines] = await Promise.all([
    services.golden.list(),
    poolsByProfile(services),
    services.machines.list(),
  ]);
  const view = (image: GoldenImage): MachineImageView => {
    const id = imageIdOf(image);
    return {
      ...image,
      pools: pools.get(image.profile) ?? [],
      machines: id === undefined ? [] : machines.flatMap(({ name, golden }) => (golden === id ? [name] : [])),
      ...(image.status.state === 'failed' && { nextAttempt: new Date(nextAttempt(image)).toISOString() }),
    };
  };
  return { images: images.map(view) };
});

async function poolsByProfile({ stores }: Services): Promise<ReadonlyMap<string, PoolName[]>> {
  const pools = new Map<string, PoolName[]>();
  for await (const { row, value } of stores.pools.list({})) {
    if (!value.golden) continue;
    const profile = profileOf(value);
    pools.set(profile, [...(pools.get(profile) ?? []), PoolName.parse(row)]);
  }
  return pools;
}
