import { found } from '../arm-answers.azure.ts';
import type { ArmClients } from '../arm-clients.azure.ts';
import type { Catalogue, ImageFound, KnownNetwork, OfferedSize } from './catalogue.ts';

/** Milliseconds for which the list of sizes counts: it has thousands of entries, and restrictions change by the day. */
const SIZES_KEPT = 600_000;

export function azureCatalogue(
  { compute, network, settings, group }: ArmClients,
  now: () => Date = () => new Date(),
): Catalogue {
  const { location } = settings;
  let kept: { readonly sizes: Promise<readonly OfferedSize[]>; readonly until: number } | undefined;

  async function readSizes(): Promise<readonly OfferedSize[]> {
    const sizes: OfferedSize[] = [];
    for await (const sku of compute.resourceSkus.list({ filter: `location eq '${location}'` })) {
      if (sku.resourceType !== 'virtualMachines' || sku.name === undefined) continue;
      if (sku.restrictions?.some(({ type }) => type === 'Location') === true) continue;
      const capability = (name: string) => Number(sku.capabilities?.find((one) => one.name === name)?.value);
      const [cores, memory] = [capability('vCPUs'), capability('MemoryGB') * 1024];
      const closed = sku.restrictions?.flatMap(({ restrictionInfo }) => restrictionInfo?.zones ?? []) ?? [];
      const zones = (sku.locationInfo?.[0]?.zones ?? []).filter((zone) => !closed.includes(zone)).sort();
      if (Number.isFinite(cores) && Number.isFinite(memory))
        sizes.push({ name: sku.name, cores, memory, zones });
    }
    return sizes;
  }

  const names = async (read: Promise<readonly { readonly name?: string }[]>): Promise<string[]> =>
    ((await found(read)) ?? []).flatMap(({ name }) => name ?? []);

  return {
    sizes() {
      if (kept === undefined || now().getTime() >= kept.until) {
        const sizes = (async () => (await found(readSizes())) ?? [])();
        kept = { sizes, until: now().getTime() + SIZES_KEPT };
        sizes.catch(() => {
          kept = undefined;
        });
      }
      return kept.sizes;
    },
    async networks(id) {
      if (id !== undefined) {
        const [, ofGroup, name] =
          /\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Network\/virtualNetworks\/([^/]+)$/i.exec(id) ??
          [];
        const one =
          ofGroup === undefined || name === undefined
            ? undefined
            : await found(network.virtualNetworks.get(ofGroup, name));
        return one === undefined ? [] : [networkOf(one)];
      }
      const read = async () => {
        const networks: KnownNetwork[] = [];
        for await (const one of network.virtualNetworks.list(group)) networks.push(networkOf(one));
        return networks;
      };
      return (await found(read())) ?? [];
    },
    async marketplace({ publisher, offer, sku }): Promise<ImageFound> {
      const images = compute.virtualMachineImages;
      const among = (known: readonly string[], name: string) =>
        known.some((one) => one.toLowerCase() === name.toLowerCase());
      const skus = await names(images.listSkus(location, publisher, offer));
      if (among(skus, sku)) return { found: true };
      if (skus.length > 0) return { found: false, unknown: 'sku', known: skus };
      const offers = await names(images.listOffers(location, publisher));
      if (offers.length > 0) return { found: false, unknown: 'offer', known: offers };
      return { found: false, unknown: 'publisher', known: await names(images.listPublishers(location)) };
    },
    async hasImage(id) {
      const [, ofGroup, name] =
        /\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/images\/([^/]+)$/i.exec(id) ?? [];
      return (
        ofGroup !== undefined &&
        name !== undefined &&
        (await found(compute.images.get(ofGroup, name))) !== undefined
      );
    },
  };
}

const networkOf = (network: {
  readonly id?: string;
  readonly name?: string;
  readonly subnets?: readonly {
    readonly id?: string;
    readonly name?: string;
    readonly addressPrefix?: string;
  }[];
}): KnownNetwork => ({
  id: network.id ?? '',
  name: network.name ?? '',
  subnets: (network.subnets ?? []).map(({ id = '', name = '', addressPrefix = '' }) => ({
    id,
    name,
    prefix: addressPrefix,
  })),
});
