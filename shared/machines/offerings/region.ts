import type { KnownSku, Usages } from './offering.ts';

/** What the region has for this subscription. */
export interface Region {
  /** Sizes with their zones and restrictions; kept for some minutes. */
  skus(): Promise<readonly KnownSku[]>;
  /** What of the quotas is in use; kept for some seconds. */
  usages(): Promise<Usages>;
}
