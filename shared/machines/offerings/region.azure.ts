import type { ComputeManagementClient, ResourceSku } from '@azure/arm-compute';
import { found } from '../arm-answers.azure.ts';
import type { ArmClients } from '../arm-clients.azure.ts';
import type { KnownSku, Usage } from './offering.ts';
import type { Region } from './region.ts';

/** Thousands of entries, whose restrictions change by the day. Milliseconds. */
const SKUS_KEPT = 600_000;
/** Reading it for every machine would use up ARM's allowance; what is asked for meanwhile is counted apart. */
const USAGES_KEPT = 30_000;

/**
 * https://learn.microsoft.com/rest/api/compute/resource-skus/list says what the subscription may have, not what is free;
 * https://learn.microsoft.com/rest/api/compute/usage/list what it has.
 */
export function azureRegion({ compute, settings }: ArmClients, now: () => Date = () => new Date()): Region {
  const { location } = settings;
  return {
    skus: kept(SKUS_KEPT, now, async () => (await found(readSkus(compute, location))) ?? []),
    usages: kept(USAGES_KEPT, now, async () => {
      const at = now();
      return { at, of: (await found(readUsages(compute, location))) ?? [] };
    }),
  };
}

async function readSkus(compute: ComputeManagementClient, location: string): Promise<KnownSku[]> {
  const skus: KnownSku[] = [];
  for await (const sku of compute.resourceSkus.list({ filter: `location eq '${location}'` })) {
    const known = sku.resourceType === 'virtualMachines' ? knownSku(sku, location) : undefined;
    if (known !== undefined) skus.push(known);
  }
  return skus;
}

/** Values of capabilities are strings: `"True"`, `"0.75"`. */
export function knownSku(sku: ResourceSku, location: string): KnownSku | undefined {
  const capability = (name: string) => sku.capabilities?.find((one) => one.name === name)?.value;
  const [cores, memory] = [Number(capability('vCPUs')), Number(capability('MemoryGB')) * 1024];
  if (sku.name === undefined || !Number.isFinite(cores) || !Number.isFinite(memory)) return undefined;
  const here = sku.locationInfo?.find((one) => one.location?.toLowerCase() === location.toLowerCase());
  const restrictions = sku.restrictions ?? [];
  const closed = restrictions
    .filter(({ type }) => type === 'Zone')
    .flatMap(({ restrictionInfo }) => restrictionInfo?.zones ?? []);
  const gpus = Number(capability('GPUs') ?? 0);
  const restricted = restrictions.find(({ type }) => type === 'Location');
  return {
    name: sku.name,
    family: sku.family ?? '',
    cores,
    memory,
    ...(gpus > 0 && { gpus }),
    zones: (here?.zones ?? []).filter((zone) => !closed.includes(zone)).sort(),
    ...(restricted !== undefined && { restricted: restricted.reasonCode ?? 'restricted' }),
    spot: capability('LowPriorityCapable') === 'True',
  };
}

async function readUsages(compute: ComputeManagementClient, location: string): Promise<Usage[]> {
  const usages: Usage[] = [];
  for await (const { name, currentValue, limit } of compute.usage.list(location))
    if (name?.value !== undefined) usages.push({ name: name.value, current: currentValue, limit });
  return usages;
}

/** Reads at most once in a time; a failure is not kept. */
function kept<T>(forMs: number, now: () => Date, read: () => Promise<T>): () => Promise<T> {
  let last: { readonly value: Promise<T>; readonly until: number } | undefined;
  return () => {
    if (last === undefined || now().getTime() >= last.until) {
      const value = read();
      last = { value, until: now().getTime() + forMs };
      value.catch(() => {
        last = undefined;
      });
    }
    return last.value;
  };
}
