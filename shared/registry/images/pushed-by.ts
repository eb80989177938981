import { z } from 'zod';
import { CloudEvent } from '../../model/cloud-event.ts';
import type { Digest, RepositoryName } from '../../model/image.ts';
import { documentOf } from '../../state/documents.ts';
import type { Tables } from '../../state/tables.ts';
import { REGISTRY, rowsOf } from '../repository.ts';

/** Audit rows that are looked through, the newest first: in a busy repository a push may be far back. */
const MOST_LOOKED_AT = 5_000;

const Pushed = z.object({
  digest: z.string(),
  origin: z.object({ actor: z.string(), address: z.string().optional(), userAgent: z.string().optional() }),
});

export interface Push {
  readonly actor: string;
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  /** RFC 3339. */
  readonly at: string;
}

/** Who pushed a manifest last, as the audit trail says; undefined where it does not reach back so far. */
export async function pushedBy(
  tables: Tables,
  repository: RepositoryName,
  digest: Digest,
): Promise<Push | undefined> {
  let looked = 0;
  for await (const { values } of tables.list(REGISTRY, rowsOf(repository, 'a!'))) {
    const event = documentOf(CloudEvent, values);
    const data = Pushed.safeParse(event.data).data;
    if (event.type === 'dev.berth.registry.push' && data?.digest === digest)
      return { ...data.origin, at: event.time };
    looked += 1;
    if (looked === MOST_LOOKED_AT) return undefined;
  }
  return undefined;
}
