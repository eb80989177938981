import { z } from 'zod';
import type { ContainerHealth } from '../docker/engine.ts';
import type { ServiceSpec } from '../model/application.ts';

/** What a machine's agent asks a container, once it runs, and when it tells: label `berth.watch`. Durations are seconds. */
export const Watched = z.object({
  /** The engine asks, by its own HEALTHCHECK; otherwise the agent does, on the container's port. */
  engine: z.boolean().optional(),
  path: z.string().optional(),
  every: z.number(),
  within: z.number(),
  /** In a row. */
  failures: z.number().int(),
  /** Failures before the first success count from then on. */
  deadline: z.number(),
  /** It is made anew at once: waiting does not help. */
  dead: z.boolean(),
});
export type Watched = z.infer<typeof Watched>;

/** A replica without a liveness check of its own is asked for its health as often, and so many times. */
const EVERY = 10;
const FAILURES = 3;

/** @param hasPort whether the container has a port on its machine */
export function watchedOf({ health }: ServiceSpec, hasPort: boolean): readonly Watched[] {
  const { liveness, deadline } = health;
  const watched: Watched[] = [];
  const own = liveness && { every: liveness.interval, within: liveness.timeout, failures: liveness.failures };
  if (liveness?.command !== undefined && own) watched.push({ ...own, engine: true, deadline, dead: true });
  else if (liveness !== undefined && own && hasPort)
    watched.push({ ...own, ...(liveness.path && { path: liveness.path }), deadline, dead: true });
  const usual = { every: EVERY, failures: FAILURES, deadline, dead: false };
  if (health.command !== undefined && liveness?.command === undefined)
    watched.push({ ...usual, engine: true, within: health.timeout });
  // One question on the port is enough.
  const byPort = health.command === undefined || health.path !== undefined;
  if (byPort && hasPort && !watched.some(({ engine }) => engine !== true))
    watched.push({
      ...usual,
      within: Math.max(health.timeout, 2),
      ...(health.path && { path: health.path }),
    });
  return watched;
}

/** The engine's own health check; undefined if nothing is run in the container. */
export function healthcheckOf({ health }: ServiceSpec): ContainerHealth | undefined {
  const { command, interval, timeout, deadline, liveness } = health;
  const run = command ?? liveness?.command;
  if (run === undefined) return undefined;
  const alive = liveness?.command === undefined ? undefined : liveness;
  return {
    command: run,
    interval: alive?.interval ?? Math.max(interval, 1),
    timeout: alive?.timeout ?? timeout,
    failures: alive?.failures ?? FAILURES,
    startPeriod: deadline,
    // A start is asked more often: the rollout waits for it.
    startInterval: command === undefined ? (alive?.interval ?? interval) : interval,
  };
}
