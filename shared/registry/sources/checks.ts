import { z } from 'zod';
import type { RepositoryName, Tag } from '../../model/image.ts';
import { documents } from '../../state/documents.ts';
import { tableKey } from '../../state/key.ts';
import type { Tables } from '../../state/tables.ts';

const Check = z.object({ checkedAt: z.iso.datetime() });

/** Table `mirrored`: when upstream last said what a tag means. */
export interface Checks {
  lastOf(repository: RepositoryName, tag: Tag): Promise<Date | undefined>;
  note(repository: RepositoryName, tag: Tag, at: Date): Promise<void>;
}

export function checks(tables: Tables): Checks {
  const store = documents(tables, 'mirrored', Check);
  return {
    async lastOf(repository, tag) {
      const found = await store.get(tableKey(repository), `t!${tag}`);
      return found && new Date(found.value.checkedAt);
    },
    async note(repository, tag, at) {
      await store.upsert(tableKey(repository), `t!${tag}`, { checkedAt: at.toISOString() });
    },
  };
}
