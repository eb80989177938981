import { z } from 'zod';

/**
 * POST /api/v1/machines/<name>/logs, answered 200: what containers wrote. The agent is a Python script: these schemas are its
 * contract, as those of `observation.ts` are.
 */
export const LogReport = z.strictObject({
  parts: z
    .array(
      z.strictObject({
        container: z.strictObject({
          /** 64 hex digits. */
          id: z.string().min(12).max(100),
          name: z.string().max(300),
          labels: z.record(z.string(), z.string()),
        }),
        /** As the answer before said; absent: the agent does not know what is kept. */
        place: z
          .strictObject({
            segment: z.string().regex(/^[0-9TZ:.-]{1,40}$/),
            position: z.number().int().min(0),
          })
          .optional(),
        /** Whole lines, as `lineText` writes them. Empty: only to be told. */
        text: z.string(),
      }),
    )
    .max(100),
});
export type LogReport = z.infer<typeof LogReport>;

/** For each part, in their order. */
export const LogAnswer = z.strictObject({
  parts: z.array(
    z.strictObject({
      /** Nothing was appended: what is not after these times is kept already, the rest goes to `place`. */
      moved: z.boolean(),
      place: z.strictObject({ segment: z.string(), position: z.number() }).optional(),
      stdout: z.string().optional(),
      stderr: z.string().optional(),
    }),
  ),
});
export type LogAnswer = z.infer<typeof LogAnswer>;
