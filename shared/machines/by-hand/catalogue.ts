/** What the region and the resource group have that somebody may ask for by name. */
export interface Catalogue {
  /** Networks of the machines' resource group, or the one of this resource id. */
  networks(id?: string): Promise<readonly KnownNetwork[]>;
  /**
   * Whether the region has an image of the marketplace; otherwise the first part of its name that is not known.
   * @param image publisher, offer, sku
   */
  marketplace(image: MarketplaceImage): Promise<ImageFound>;
  /** Whether there is an image resource of this id. */
  hasImage(id: string): Promise<boolean>;
}

export interface KnownNetwork {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly { readonly id: string; readonly name: string; readonly prefix: string }[];
}

export interface MarketplaceImage {
  readonly publisher: string;
  readonly offer: string;
  readonly sku: string;
}

export type ImageFound =
  | { readonly found: true }
  | {
      readonly found: false;
      readonly unknown: keyof MarketplaceImage;
      /** Names that there are in its place. */
      readonly known: readonly string[];
    };
