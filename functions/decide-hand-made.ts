import { withUserData } from '../shared/machines/by-hand/custom-data.ts';
import { faultsOf, sizeNamed, subnetOf } from '../shared/machines/by-hand/faults.ts';
import { handMade } from '../shared/machines/by-hand/hand-made-record.ts';
import { type Plan, planOf } from '../shared/machines/by-hand/plan.ts';
import { requireQuota } from '../shared/machines/by-hand/quota.ts';
import { renderCloudInit } from '../shared/machines/cloud-init.ts';
import { priceOf } from '../shared/machines/offerings/prices.ts';
import { Invalid } from '../shared/model/invalid.ts';
import type { Machine } from '../shared/model/machine.ts';
import type { NewMachine } from '../shared/model/new-machine.ts';
import type { Services } from './services.ts';

type Made = Pick<Services, 'settings' | 'catalogue' | 'region' | 'engineCa' | 'now'>;

export interface HandMadeDecision {
  readonly plan: Plan;
  /** @param key Idempotency-Key; @param by the caller's id */
  record(key: string | undefined, by: string): Machine;
}

/**
 * Checks a request for a machine against what there is, and says what it would be. Changes nothing.
 * @param allowFrom CIDRs
 * @throws Invalid `machine-invalid` with every fault, and what was probably meant; Terminal `quota-exceeded`
 */
export async function decideHandMade(
  request: NewMachine,
  allowFrom: readonly string[],
  made: Made,
): Promise<HandMadeDecision> {
  const { location, network, subscription, resourceGroup } = made.settings;
  const around = await surroundings(request, made);
  const issues = faultsOf(request, { location, network, ...around });
  const size = sizeNamed(request.size, around.sizes);
  if (issues.length > 0 || size === undefined)
    throw new Invalid({
      code: 'machine-invalid',
      message: `The machine ${request.name} cannot be made: ${issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}.`,
      remedy: 'Mend what `issues` names, and ask again; nothing was made.',
      issues,
    });
  requireQuota(size, request.priority, location, await made.region.usages());
  const customData = withUserData(
    renderCloudInit({
      machine: request.name,
      appUrl: `https://${made.settings.hostname}`,
      engineCaCertificate: (await made.engineCa()).certificatePem,
      network,
      image: request.image,
      byHand: true,
    }),
    request.customData,
  );
  const subnet = subnetOf(request, around.networks);
  const hourly = priceOf(location, size.name, request.priority);
  return {
    plan: planOf({
      request,
      size,
      location,
      network: request.network ?? 'berth-network',
      subnet: subnet?.name ?? 'machines',
      allowFrom,
      hourly,
      customData: Buffer.byteLength(customData),
    }),
    record: (key, by) =>
      handMade(
        {
          request,
          size,
          allowFrom,
          subnet: subnet?.id,
          hourly,
          key,
          by,
          now: made.now(),
          subscription,
          resourceGroup,
        },
        Math.random,
      ),
  };
}

async function surroundings({ image, network }: NewMachine, { catalogue, region }: Made) {
  const isResource = image.startsWith('/');
  const [publisher = '', offer = '', sku = ''] = image.split(':');
  const [sizes, networks, marketplace, hasImage] = await Promise.all([
    region.skus(),
    network === undefined ? [] : catalogue.networks(network.startsWith('/') ? network : undefined),
    isResource ? undefined : catalogue.marketplace({ publisher, offer, sku }),
    isResource ? catalogue.hasImage(image) : undefined,
  ]);
  return { sizes, networks, image: marketplace, hasImage };
}
