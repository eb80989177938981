import { z } from 'zod';
import type { CloudEvent } from '../../model/cloud-event.ts';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import type { OutsidePush } from './outside-push.ts';

/** Data of the event of a push elsewhere: `registry` is what tells it from a push to Berth. */
export const OutsidePushData = z.looseObject({
  registry: z.string().min(1),
  repository: RepositoryName,
  tag: Tag.optional(),
  digest: Digest.optional(),
});

export type OutsidePushData = z.infer<typeof OutsidePushData>;

const isTime = z.iso.datetime({ offset: true });

/**
 * The same event that a push to Berth gives, but for its source `registry/~<host>/<repository>`, which no repository of ours has.
 * @param hook that received it
 */
export function outsidePushEvent(push: OutsidePush, hook: string, now: Date): CloudEvent {
  const { repository, tag, digest, mediaType, size, actor, at, mark } = push;
  const host = push.host.toLowerCase();
  return {
    specversion: '1.0',
    id: `${tag ?? digest}:${mark}`,
    source: `registry/~${host}/${repository}`,
    type: 'dev.berth.registry.push',
    subject: tag ?? digest,
    time: isTime.safeParse(at).data ?? now.toISOString(),
    datacontenttype: 'application/json',
    data: {
      registry: host,
      repository,
      ...(tag === undefined ? {} : { tag }),
      ...(digest === undefined ? {} : { digest }),
      ...(mediaType === undefined ? {} : { mediaType }),
      ...(size === undefined ? {} : { size }),
      origin: { ...(actor === undefined ? {} : { actor }), method: 'POST', host, hook },
    },
  };
}
