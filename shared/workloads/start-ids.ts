import type { Cause } from './answer.ts';

/** Ids of an event's orchestrations: `ev-<hash>`, then `ev-<hash>-1`, `ev-<hash>-2`, … */
export const startIds =
  (cause: Cause) =>
  (index: number): string =>
    index === 0 ? cause.instanceId : `${cause.instanceId}-${index}`;
