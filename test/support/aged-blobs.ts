import type { BlobInfo, Blobs } from '../../shared/state/blobs.ts';

/** Blobs of a real storage, as if its clock were another: the time of each version is that clock's when it was written. */
export function agedBlobs(blobs: Blobs, now: () => Date): Blobs {
  const times = new Map<string, Date>();
  type Version = Pick<BlobInfo, 'etag' | 'modifiedAt'>;
  const written = <T extends Version>(info: T): T => {
    times.set(info.etag, now());
    return aged(info);
  };
  /** A version whose write has not been answered yet is new. */
  const aged = <T extends Version>(info: T): T => ({ ...info, modifiedAt: times.get(info.etag) ?? now() });
  return {
    ...blobs,
    async head(name) {
      const info = await blobs.head(name);
      return info && aged(info);
    },
    async read(name) {
      const found = await blobs.read(name);
      return found && { ...found, info: aged(found.info) };
    },
    put: async (...given) => written(await blobs.put(...given)),
    commitBlocks: async (...given) => written(await blobs.commitBlocks(...given)),
    setMetadata: async (...given) => written(await blobs.setMetadata(...given)),
    async *list(prefix) {
      for await (const info of blobs.list(prefix)) yield aged(info);
    },
    async page(...given) {
      const page = await blobs.page(...given);
      return { ...page, blobs: page.blobs.map((info) => aged(info)) };
    },
  };
}
