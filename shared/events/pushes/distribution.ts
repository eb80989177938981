import { z } from 'zod';
import {
  hostMissing,
  type OutsidePush,
  pushesOf,
  referenceIn,
  repositoryIn,
  type Told,
} from './outside-push.ts';

/** https://distribution.github.io/distribution/about/notifications/ */
const Envelope = z.object({
  events: z
    .array(
      z.object({
        id: z.string().min(1),
        timestamp: z.string().optional(),
        action: z.string(),
        target: z.object({
          mediaType: z.string().optional(),
          digest: z.string().optional(),
          size: z.number().optional(),
          length: z.number().optional(),
          repository: z.string().optional(),
          tag: z.string().optional(),
        }),
        request: z.object({ host: z.string().optional() }).optional(),
        actor: z.object({ name: z.string().optional() }).optional(),
      }),
    )
    .min(1)
    .max(1000),
});

/** Layers and configurations are pushed too, and told of in the same words. */
const isManifest = (mediaType: string | undefined): boolean =>
  mediaType !== undefined && /manifest|image\.index/.test(mediaType);

export function tellDistribution(payload: unknown, given: string | undefined): Told {
  const pushes: OutsidePush[] = [];
  for (const { id, timestamp, action, target, request, actor } of Envelope.parse(payload).events) {
    if (action !== 'push' || !isManifest(target.mediaType)) continue;
    const host = given ?? request?.host;
    if (host === undefined) throw hostMissing('request.host');
    pushes.push({
      host,
      repository: repositoryIn(target.repository ?? ''),
      ...referenceIn(target.tag, target.digest),
      mediaType: target.mediaType,
      size: target.size ?? target.length,
      actor: actor?.name,
      at: timestamp,
      mark: id,
    });
  }
  return pushesOf(pushes, 'nothing that is a push of a manifest');
}
