import { z } from 'zod';
import type { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { documents } from '../../state/documents.ts';
import { tableKey } from '../../state/key.ts';
import type { Tables } from '../../state/tables.ts';

const Check = z.object({ checkedAt: z.iso.datetime() });

/** Table `mirrored`: when upstream last said what a tag means, or what refers to a digest. */
export interface Checks {
  lastOf(repository: RepositoryName, what: Tag | Digest): Promise<Date | undefined>;
  note(repository: RepositoryName, what: Tag | Digest, at: Date): Promise<void>;
}

const rowOf = (what: Tag | Digest): string => `${what.includes(':') ? 'r' : 't'}!${what}`;

export function checks(tables: Tables): Checks {
  const store = documents(tables, 'mirrored', Check);
  return {
    async lastOf(repository, what) {
      const found = await store.get(tableKey(repository), rowOf(what));
      return found && new Date(found.value.checkedAt);
    },
    async note(repository, what, at) {
      await store.upsert(tableKey(repository), rowOf(what), { checkedAt: at.toISOString() });
    },
  };
}
