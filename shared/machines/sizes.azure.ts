import type { ComputeManagementClient } from '@azure/arm-compute';
import { found } from './arm-answers.azure.ts';

type Sizes = ReadonlyMap<string, { readonly cores: number; readonly memory: number }>;

/** Cores and MiB of the region's sizes, by their name in lower case; read once, since they change with Azure's hardware. */
export function sizesOf(compute: ComputeManagementClient, location: string): () => Promise<Sizes> {
  let sizes: Promise<Sizes> | undefined;
  return () => {
    sizes ??= (async () => (await found(read(compute, location))) ?? new Map())();
    // A failure is not kept: the next call reads again.
    sizes.catch(() => {
      sizes = undefined;
    });
    return sizes;
  };
}

async function read(compute: ComputeManagementClient, location: string): Promise<Sizes> {
  const sizes = new Map<string, { cores: number; memory: number }>();
  for await (const sku of compute.resourceSkus.list({ filter: `location eq '${location}'` })) {
    if (sku.resourceType !== 'virtualMachines' || sku.name === undefined) continue;
    const capability = (name: string) => Number(sku.capabilities?.find((one) => one.name === name)?.value);
    const [cores, memory] = [capability('vCPUs'), capability('MemoryGB') * 1024];
    if (Number.isFinite(cores) && Number.isFinite(memory))
      sizes.set(sku.name.toLowerCase(), { cores, memory });
  }
  return sizes;
}
