import { z } from 'zod';
import { Priority } from '../../model/pool.ts';
import type { Offering } from './offering.ts';
import type { Shortage } from './shortage.ts';

/** What is not asked for, since Azure just refused it. */
const Scope = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('size'),
    size: z.string(),
    /** Absent: in the whole region. */
    zone: z.string().optional(),
    priority: Priority,
    family: z.string(),
    cores: z.number(),
    /** Larger sizes of the family too. */
    larger: z.boolean(),
  }),
  /** Regular machines of a family with so many cores or more. */
  z.object({ kind: z.literal('family'), family: z.string(), cores: z.number() }),
  /** All machines of a priority with so many cores or more. */
  z.object({ kind: z.literal('priority'), priority: Priority, cores: z.number() }),
]);

export const Unavailable = z.object({
  scope: Scope,
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  /** Azure's code and words. */
  reason: z.string(),
  /** Whose refusal it was. */
  machine: z.string(),
});
export type Unavailable = z.infer<typeof Unavailable>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Quotas are raised by hand, but machines go: soon again, unless nothing may be had of it at all. */
const QUOTA = 10 * MINUTE;
const NO_QUOTA = HOUR;
const ALLOCATION = HOUR;
/** Spot capacity comes and goes; a regular size that is not available stays so for long. */
const SIZE = { spot: HOUR, regular: 23 * HOUR };

/** What a refusal blocks, and until when. Pure. */
export function unavailableAfter(
  shortage: Shortage,
  offering: Pick<Offering, 'size' | 'zone' | 'priority' | 'family' | 'cores'>,
  { now, reason, machine }: { readonly now: Date; readonly reason: string; readonly machine: string },
): Unavailable {
  const { size, zone, priority, family, cores } = offering;
  const block = (scope: Unavailable['scope'], forMs: number): Unavailable => ({
    scope,
    since: now.toISOString(),
    until: new Date(now.getTime() + forMs).toISOString(),
    reason,
    machine,
  });
  switch (shortage.kind) {
    case 'quota': {
      const none = shortage.limit === 0;
      const least = none ? 0 : cores;
      const forMs = none ? NO_QUOTA : QUOTA;
      if (shortage.of === 'regional')
        return block({ kind: 'priority', priority: 'regular', cores: 0 }, forMs);
      if (shortage.of === 'spot') return block({ kind: 'priority', priority: 'spot', cores: least }, forMs);
      return block({ kind: 'family', family, cores: least }, forMs);
    }
    case 'size':
      return block(
        {
          kind: 'size',
          size,
          ...(shortage.zone !== undefined && { zone: shortage.zone }),
          priority,
          family,
          cores,
          larger: false,
        },
        SIZE[priority],
      );
    case 'allocation': {
      const { larger } = shortage;
      const where = zone === undefined ? {} : { zone };
      return block({ kind: 'size', size, ...where, priority, family, cores, larger }, ALLOCATION);
    }
  }
}

/** Why an offering is not to be asked for now; undefined if nothing speaks against it. Pure. */
export const blocking = (
  offering: Pick<Offering, 'size' | 'zone' | 'priority' | 'family' | 'cores'>,
  unavailable: readonly Unavailable[],
  now: Date,
): Unavailable | undefined =>
  unavailable.find(({ scope, until }) => Date.parse(until) > now.getTime() && covers(scope, offering));

function covers(scope: Unavailable['scope'], offering: Parameters<typeof blocking>[0]): boolean {
  const { size, zone, priority, family, cores } = offering;
  switch (scope.kind) {
    case 'size':
      return (
        scope.priority === priority &&
        (scope.zone === undefined || scope.zone === zone) &&
        (scope.size.toLowerCase() === size.toLowerCase() ||
          (scope.larger && sameFamily(scope.family, family) && cores >= scope.cores))
      );
    case 'family':
      return priority === 'regular' && sameFamily(scope.family, family) && cores >= scope.cores;
    case 'priority':
      return scope.priority === priority && cores >= scope.cores;
  }
}

const sameFamily = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Key of what is blocked: a later refusal of the same takes the place of the earlier one. */
export function scopeKey(scope: Unavailable['scope']): string {
  switch (scope.kind) {
    case 'size':
      return [
        'size',
        scope.size,
        scope.zone ?? 'any',
        scope.priority,
        scope.larger ? 'larger' : 'alone',
      ].join('!');
    case 'family':
      return `family!${scope.family}`;
    case 'priority':
      return `priority!${scope.priority}`;
  }
}
