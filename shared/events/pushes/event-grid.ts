import { z } from 'zod';
import { acrPush } from './acr.ts';
import { type OutsidePush, other, pushesOf, type Told } from './outside-push.ts';

const PUSHED = 'Microsoft.ContainerRegistry.ImagePushed';

/** Event Grid's schema and the CloudEvents schema: https://learn.microsoft.com/azure/event-grid/event-schema-container-registry */
const GridEvent = z.union([
  z
    .object({ eventType: z.string(), eventTime: z.string().optional(), data: z.unknown() })
    .transform(({ eventType, eventTime, data }) => ({ type: eventType, time: eventTime, data })),
  z.object({
    specversion: z.literal('1.0'),
    type: z.string(),
    time: z.string().optional(),
    data: z.unknown(),
  }),
]);

/** https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema */
const Validation = z.tuple([
  z.object({
    eventType: z.literal('Microsoft.EventGrid.SubscriptionValidationEvent'),
    data: z.object({ validationCode: z.string().min(1).max(200) }),
  }),
]);

/** One event or a batch of them. */
export function tellEventGrid(payload: unknown, host: string | undefined): Told {
  const validation = Validation.safeParse(payload).data?.[0];
  if (validation !== undefined) return { told: 'validation', code: validation.data.validationCode };
  const events = z
    .array(GridEvent)
    .min(1)
    .max(1000)
    .parse(Array.isArray(payload) ? payload : [payload]);
  const pushes: OutsidePush[] = [];
  for (const { type, time, data } of events) {
    const push = type === PUSHED ? acrPush(data, host, time) : type;
    if (typeof push !== 'string') pushes.push(push);
  }
  return pushes.length > 0
    ? pushesOf(pushes, '')
    : other([...new Set(events.map(({ type }) => type))].join(', '));
}
