import { z } from 'zod';
import {
  hostMissing,
  type OutsidePush,
  other,
  pushesOf,
  referenceIn,
  repositoryIn,
  type Told,
} from './outside-push.ts';

/**
 * What Azure Container Registry says of one event, in its own webhooks and inside those of Event Grid.
 * https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference
 */
const AcrEvent = z.object({
  id: z.string().min(1),
  timestamp: z.string().optional(),
  action: z.string(),
  target: z
    .object({
      mediaType: z.string().optional(),
      size: z.number().optional(),
      digest: z.string().optional(),
      repository: z.string().optional(),
      tag: z.string().optional(),
    })
    .optional(),
  request: z.object({ host: z.string().optional() }).optional(),
  actor: z.object({ name: z.string().optional() }).optional(),
});

/** @param at when Event Grid says that it was; the event's own time otherwise */
export function acrPush(event: unknown, given: string | undefined, at?: string): OutsidePush | string {
  const { id, timestamp, action, target, request, actor } = AcrEvent.parse(event);
  if (action !== 'push') return `action ${action}`;
  const host = given ?? request?.host;
  if (host === undefined) throw hostMissing('request.host');
  return {
    host,
    repository: repositoryIn(target?.repository ?? ''),
    ...referenceIn(target?.tag, target?.digest),
    mediaType: target?.mediaType,
    size: target?.size,
    actor: actor?.name,
    at: at ?? timestamp,
    mark: id,
  };
}

export function tellAcr(payload: unknown, host: string | undefined): Told {
  const push = acrPush(payload, host);
  return typeof push === 'string' ? other(push) : pushesOf([push], '');
}
