import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { IMAGE_BUILDERS } from '../../shared/machines/golden/builder-pool.ts';
import { buildGoldenImage } from '../../shared/machines/golden/golden-activities.ts';
import { buildingId, type GoldenImage } from '../../shared/machines/golden/golden-image.ts';
import { type GoldenStep, goldenSteps } from '../../shared/machines/golden/golden-steps.ts';
import { wantedImages } from '../../shared/machines/golden/wanted-images.ts';
import { newMachineName } from '../../shared/machines/machine-names.ts';
import { all } from '../../shared/workloads/stores.ts';
import { isGoing } from '../instances.ts';
import { type Services, services } from '../services.ts';

type Made = Pick<Services, 'now' | 'golden' | 'machineImages' | 'machines' | 'stores'>;

/**
 * Has the images built that pools want, and removes those that nothing uses. Where no pool ever wanted one, ARM is
 * asked once an hour whether it has any: records may be lost.
 */
export async function sweepGoldenImages(
  made: Made,
  client: df.DurableClient,
  context: Pick<InvocationContext, 'log' | 'error'>,
): Promise<void> {
  const now = made.now();
  const [pools, records] = await Promise.all([all(made.stores.pools.list({})), made.golden.list()]);
  const wanted = wantedImages(pools);
  if (wanted.length === 0 && records.length === 0 && now.getUTCMinutes() !== 0) return;
  const resources = await made.machineImages.tagged();
  if (wanted.length === 0 && records.length === 0 && resources.length === 0) return;
  const [machines, going] = await Promise.all([made.machines.list(), goingOf(records, client)]);
  const steps = goldenSteps({ now, wanted, records, resources, machines, going });
  const results = await Promise.allSettled(
    steps.map(async (step) => {
      context.log(`golden images: ${step.step} ${subjectOf(step)}: ${step.reason}`);
      await take(step, made, client);
    }),
  );
  for (const result of results)
    if (result.status === 'rejected') context.error('golden images:', result.reason);
}

async function take(step: GoldenStep, made: Made, client: df.DurableClient): Promise<void> {
  switch (step.step) {
    case 'build': {
      const { wanted, attempt } = step;
      const builder = newMachineName(IMAGE_BUILDERS, Math.random);
      const input = { ...wanted, attempt, builder };
      await client.startNew(buildGoldenImage.name, { instanceId: buildingId(builder), input });
      return;
    }
    case 'give-up': {
      const { code, reason } = step;
      const at = made.now().toISOString();
      return await changed(step.image, made, (image) => ({
        ...image,
        failures: image.failures + 1,
        status: { state: 'failed', at, code, reason },
      }));
    }
    case 'withdraw':
      return await changed(step.image, made, (image) =>
        image.status.state === 'ready'
          ? { ...image, status: { state: 'leaving', since: made.now().toISOString(), id: image.status.id } }
          : undefined,
      );
    case 'take-back':
      return await changed(step.image, made, (image) =>
        image.status.state === 'leaving'
          ? { ...image, status: { state: 'ready', since: made.now().toISOString(), id: image.status.id } }
          : undefined,
      );
    case 'delete-resource':
      await made.machineImages.remove(step.name);
      return;
    case 'forget':
      return await made.golden.remove(step.image.profile);
  }
}

/** What the sweep saw may be over. */
async function changed(
  seen: GoldenImage,
  { golden }: Pick<Services, 'golden'>,
  change: (image: GoldenImage) => GoldenImage | undefined,
): Promise<void> {
  await golden.change(seen.profile, (current) =>
    current !== undefined && current.attempt === seen.attempt && current.status.state === seen.status.state
      ? change(current)
      : undefined,
  );
}

async function goingOf(records: readonly GoldenImage[], client: df.DurableClient): Promise<Set<string>> {
  const going = new Set<string>();
  for (const { status } of records)
    if (status.state === 'building' && (await isGoing(client, status.owner))) going.add(status.owner);
  return going;
}

const subjectOf = (step: GoldenStep): string =>
  step.step === 'build'
    ? step.wanted.profile
    : step.step === 'delete-resource'
      ? step.name
      : step.image.profile;

app.timer('sweep-golden-images', {
  schedule: '40 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => sweepGoldenImages(services(), df.getClient(context), context),
});
