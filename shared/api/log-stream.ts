import { z } from 'zod';

/**
 * A stream of log lines as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html):
 * `event: line` with the line's time as `id`, `event: end` last, and a comment every 15 s of silence.
 */
export const LogEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('line'),
    data: z.object({
      stream: z.enum(['stdout', 'stderr']),
      /** RFC 3339 with nanoseconds. */
      time: z.string(),
      text: z.string(),
      /** The container is gone and this is one of its last lines, which were kept; `time` is then when it ended. */
      kept: z.literal(true).optional(),
      /** Where several are read: `<application>/<service>/<replica>`, the first 12 digits of its container, its machine. */
      replica: z.string().optional(),
      container: z.string().optional(),
      machine: z.string().optional(),
    }),
  }),
  z.object({
    event: z.literal('note'),
    /** What a reader should know: a machine does not answer, so that only what is kept of its logs is shown. */
    data: z.object({ text: z.string() }),
  }),
  z.object({
    event: z.literal('end'),
    data: z.object({
      /** `complete`: there will be no more, or nothing was to be followed. `limit`: ask again with `since`. `engine`: the machine broke off; ask again. */
      reason: z.enum(['complete', 'limit', 'engine']),
      /** Time of the last line that was sent. */
      cursor: z.string().optional(),
    }),
  }),
]);
export type LogEvent = z.infer<typeof LogEvent>;

/** Seconds after which a stream ends with `limit`: proxies in front of functions cut answers at 230. */
export const STREAM_SECONDS = 200;
/** Seconds of silence after which a comment is sent. */
export const COMMENT_SECONDS = 15;
