import { documents } from '../../state/documents.ts';
import type { Tables } from '../../state/tables.ts';
import { GoldenImage } from './golden-image.ts';

/** Records of golden images: table `goldenimages`, partition `image`, row profile. */
export interface GoldenStore {
  get(profile: string): Promise<GoldenImage | undefined>;
  list(): Promise<readonly GoldenImage[]>;
  /** Reads, changes, writes with If-Match; `change` answers undefined to leave it. @returns the record as it is then */
  change(
    profile: string,
    change: (image: GoldenImage | undefined) => GoldenImage | undefined,
  ): Promise<GoldenImage | undefined>;
  remove(profile: string): Promise<void>;
}

const PARTITION = 'image';

export function goldenStore(tables: Tables): GoldenStore {
  const store = documents(tables, 'goldenimages', GoldenImage);
  return {
    get: async (profile) => (await store.get(PARTITION, profile))?.value,
    async list() {
      const found: GoldenImage[] = [];
      for await (const { value } of store.list({ partition: PARTITION })) found.push(value);
      return found;
    },
    change: (profile, change) => store.update(PARTITION, profile, change),
    remove: (profile) => store.delete(PARTITION, profile),
  };
}
