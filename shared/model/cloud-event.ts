import { z } from 'zod';

/** CloudEvents 1.0, JSON format: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md */
export const CloudEvent = z.object({
  specversion: z.literal('1.0'),
  /** Unique together with `source`: the same pair is the same event. */
  id: z.string().min(1).max(512),
  /** One line: the event's hash puts a line feed between it and the id. */
  source: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[^\n]+$/),
  type: z.string().min(1).max(256),
  subject: z.string().max(1024).optional(),
  /** RFC 3339. */
  time: z.iso.datetime({ offset: true }),
  datacontenttype: z.literal('application/json').default('application/json'),
  data: z.unknown(),
});
export type CloudEvent = z.infer<typeof CloudEvent>;
