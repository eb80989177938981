import { z } from 'zod';
import type { CloudEvent } from '../../model/cloud-event.ts';

/** What is read of an event's data: ours, or that of a push elsewhere, which may say less. */
const Data = z.looseObject({
  repository: z.string().optional(),
  tag: z.string().optional(),
  digest: z.string().optional(),
  mediaType: z.string().optional(),
  size: z.number().optional(),
  from: z.string().optional(),
  origin: z
    .looseObject({
      actor: z.string().optional(),
      address: z.string().optional(),
      method: z.string().optional(),
      host: z.string().optional(),
      userAgent: z.string().optional(),
    })
    .default({}),
});

/**
 * An event as distribution tells it, in an envelope of one.
 * https://distribution.github.io/distribution/about/notifications/ ("Events", "Envelope")
 * @param id unique among all events
 */
export function envelopeOf(event: CloudEvent, id: string): object {
  const { repository, tag, digest, mediaType, size, from, origin } = Data.parse(event.data ?? {});
  const action = event.type.split('.').at(-1);
  const kind = mediaType === 'application/octet-stream' ? 'blobs' : 'manifests';
  const at = digest ?? tag;
  const { actor, address, method, host, userAgent } = origin;
  const url =
    host === undefined || at === undefined ? {} : { url: `https://${host}/v2/${repository}/${kind}/${at}` };
  return {
    events: [
      {
        id,
        timestamp: event.time,
        action,
        target: {
          ...(mediaType === undefined ? {} : { mediaType }),
          ...(digest === undefined ? {} : { digest }),
          ...(size === undefined ? {} : { size, length: size }),
          ...(repository === undefined ? {} : { repository }),
          ...(from === undefined ? {} : { fromRepository: from }),
          ...url,
          ...(tag === undefined ? {} : { tag }),
        },
        request: {
          id,
          ...(address === undefined ? {} : { addr: address }),
          ...(host === undefined ? {} : { host }),
          ...(method === undefined ? {} : { method }),
          ...(userAgent === undefined ? {} : { useragent: userAgent }),
        },
        actor: actor === undefined ? {} : { name: actor },
        source: host === undefined ? {} : { addr: host },
      },
    ],
  };
}
