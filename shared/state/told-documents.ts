import type { Documents } from './documents.ts';

/**
 * Documents whose writers wait until somebody was told of what they wrote: of the value that is there now, or of the one
 * that was deleted.
 */
export function toldDocuments<T>(documents: Documents<T>, tell: (value: T) => Promise<void>): Documents<T> {
  return {
    get: (partition, row) => documents.get(partition, row),
    list: (range) => documents.list(range),
    async insert(partition, row, value) {
      const stored = await documents.insert(partition, row, value);
      await tell(value);
      return stored;
    },
    async replace(before, value) {
      const stored = await documents.replace(before, value);
      await tell(value);
      return stored;
    },
    async upsert(partition, row, value) {
      const stored = await documents.upsert(partition, row, value);
      await tell(value);
      return stored;
    },
    async delete(partition, row) {
      const before = await documents.get(partition, row);
      await documents.delete(partition, row);
      if (before !== undefined) await tell(before.value);
    },
    async update(partition, row, change) {
      let written: T | undefined;
      const result = await documents.update(partition, row, (current) => {
        written = change(current);
        return written;
      });
      if (written !== undefined) await tell(written);
      return result;
    },
  };
}
