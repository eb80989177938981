import { found } from '../arm-answers.azure.ts';
import type { ArmClients } from '../arm-clients.azure.ts';
import type { Catalogue, ImageFound, KnownNetwork } from './catalogue.ts';

export function azureCatalogue({ compute, network, settings, group }: ArmClients): Catalogue {
  const { location } = settings;

  const names = async (read: Promise<readonly { readonly name?: string }[]>): Promise<string[]> =>
    ((await found(read)) ?? []).flatMap(({ name }) => name ?? []);

  return {
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
