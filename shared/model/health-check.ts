import { z } from 'zod';

const command = z.array(z.string()).min(1);
const path = z.string().startsWith('/');

/** Durations are seconds. */
const Liveness = z
  .strictObject({
    /** HTTP GET on the service's port must answer 2xx or 3xx. */
    path: path.optional(),
    /** Runs in the container: exit code 0 is alive. With neither, the port must accept. */
    command: command.optional(),
    interval: z.number().positive().max(3600).default(10),
    timeout: z.number().positive().max(3600).default(5),
    /** So many in a row, and the container is made anew. */
    failures: z.number().int().min(1).max(100).default(3),
  })
  .superRefine(({ path: at, command: run }, context) => {
    if (at !== undefined && run !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['command'],
        message: 'expected path or command, not both',
      });
  });

/** Durations are seconds. `checkHealth` says what does not go together. */
export const HealthCheck = z.strictObject({
  /** HTTP GET of this path on the service's port must answer 2xx or 3xx; without it, the TCP port must accept. */
  path: path.optional(),
  /** Runs in the container, by the engine; exit code 0 is healthy. With a path too both have to say so. */
  command: command.optional(),
  interval: z.number().positive().max(3600).default(1),
  timeout: z.number().positive().max(3600).default(2),
  /** How long a starting replica may take until its first success. */
  deadline: z.number().positive().max(3600).default(30),
  /** Absent: a replica that stops answering is taken out, and made anew if it does not come back within `deadline`. */
  liveness: Liveness.optional(),
});
export type HealthCheck = z.infer<typeof HealthCheck>;

export function checkHealth({ command: run, liveness }: HealthCheck, context: z.RefinementCtx): void {
  if (liveness?.command === undefined || run === undefined) return;
  if (JSON.stringify(liveness.command) !== JSON.stringify(run))
    context.addIssue({
      code: 'custom',
      path: ['liveness', 'command'],
      message:
        'an engine runs one command for each container: expected the same as health.command, or a path',
    });
}
