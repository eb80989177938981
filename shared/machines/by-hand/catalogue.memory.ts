import type { Catalogue, KnownNetwork } from './catalogue.ts';

const IMAGES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  Debian: { 'debian-12': ['12', '12-gen2'], 'debian-13': ['13', '13-gen2'] },
  Canonical: { 'ubuntu-24_04-lts': ['server', 'minimal'] },
};

/** A catalogue of a few names. */
export function memoryCatalogue(networks: readonly KnownNetwork[] = []): Catalogue {
  return {
    networks: async (id) => networks.filter((one) => id === undefined || one.id === id),
    async marketplace({ publisher, offer, sku }) {
      const offers = IMAGES[publisher];
      if (offers === undefined) return { found: false, unknown: 'publisher', known: Object.keys(IMAGES) };
      const skus = offers[offer];
      if (skus === undefined) return { found: false, unknown: 'offer', known: Object.keys(offers) };
      return skus.includes(sku) ? { found: true } : { found: false, unknown: 'sku', known: skus };
    },
    hasImage: async () => false,
  };
}
