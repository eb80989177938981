import { z } from 'zod';
import type { CloudEvent } from '../../model/cloud-event.ts';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { hostOfUrl } from '../../model/registry-address.ts';
import type { ReplicationSink } from '../../model/subscription.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import { findManifest, findTag } from '../repository.ts';
import type { Target } from '../upstream/target.ts';
import { copyOut } from './copy-out.ts';
import { viaOf } from './via.ts';

const Data = z.object({
  repository: RepositoryName,
  tag: Tag.optional(),
  digest: Digest,
  origin: z.object({ userAgent: z.string().optional() }).optional(),
});

/**
 * Does in another registry what an event tells of. Doing it twice changes nothing.
 * @returns in words what was done, or why nothing
 * @throws what Target throws
 */
export async function follow(
  parts: { readonly blobs: Blobs; readonly tables: Tables },
  sink: ReplicationSink,
  target: Target,
  event: CloudEvent,
): Promise<string> {
  const { repository, tag, digest, origin } = Data.parse(event.data);
  const name = sink.path === undefined ? repository : `${sink.path}/${repository}`;
  // What came from there need not go there: two registries that replicate to each other would go on for ever.
  if (viaOf(origin?.userAgent).includes(hostOfUrl(sink.registry.url))) return 'it came from there';
  const current = tag && (await findTag(parts.tables, repository, tag));
  switch (event.type) {
    case 'dev.berth.registry.push': {
      if (tag !== undefined && current?.digest !== digest) return 'the tag means something else by now';
      if ((await findManifest(parts.tables, repository, digest))?.mirrored === true)
        return 'it is a copy of another registry’s: have it replicated from there';
      const copied = await copyOut(parts, target, { repository, name, digest, reference: tag ?? digest });
      return copied ? 'it is there' : 'it is not here any more';
    }
    case 'dev.berth.registry.delete': {
      if (!sink.deletes) return 'deletions are not followed';
      const isBack = tag === undefined ? await findManifest(parts.tables, repository, digest) : current;
      if (isBack !== undefined) return 'it is here again';
      // Only what was deleted: somebody may have pushed something else there.
      const there = await target.digestAt(name, tag ?? digest);
      if (there === undefined) return 'it is not there';
      if (there !== digest) return 'something else is there';
      return (await target.delete(name, tag ?? digest))
        ? 'it is deleted there'
        : 'that registry deletes no such thing';
    }
    default:
      return 'nothing to do';
  }
}
