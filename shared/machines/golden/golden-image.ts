import { z } from 'zod';
import { MachineName } from '../../model/names.ts';

export const GoldenStatus = z.discriminatedUnion('state', [
  /** A machine is being made into it. */
  z.object({
    state: z.literal('building'),
    since: z.iso.datetime(),
    builder: MachineName,
    owner: z.string(),
  }),
  /** Machines boot from it. `id`: its ARM resource. */
  z.object({ state: z.literal('ready'), since: z.iso.datetime(), id: z.string() }),
  /** No pool wants it any more: nothing new boots from it, and it is removed once no machine has it. */
  z.object({ state: z.literal('leaving'), since: z.iso.datetime(), id: z.string() }),
  z.object({ state: z.literal('failed'), at: z.iso.datetime(), code: z.string(), reason: z.string() }),
]);
export type GoldenStatus = z.infer<typeof GoldenStatus>;

/** An image for all pools of one profile. Its names are recorded before anything is asked of ARM. */
export const GoldenImage = z.object({
  /** Digest of what the image is made of. */
  profile: z.string().regex(/^[0-9a-f]{16}$/),
  /** publisher:offer:sku:version, or the resource id of an image. */
  base: z.string(),
  /** Name of its ARM resource: another one at every attempt. */
  name: z.string(),
  /** Counts from 1. */
  attempt: z.number().int().min(1),
  /** Failures since it was last ready. */
  failures: z.number().int().min(0).default(0),
  status: GoldenStatus,
});
export type GoldenImage = z.infer<typeof GoldenImage>;

/** The last letters of its builder's name tell attempts at the same profile apart. */
export const goldenImageName = (profile: string, builder: MachineName): string =>
  `berth-${profile}-${builder.slice(builder.lastIndexOf('-') + 1)}`;

/** Instance id of the orchestration that builds it: no builder's name is used twice. */
export const buildingId = (builder: MachineName): string => `golden-${builder}`;

/** Its ARM resource, while machines may have it. */
export const imageIdOf = ({ status }: Pick<GoldenImage, 'status'>): string | undefined =>
  status.state === 'ready' || status.state === 'leaving' ? status.id : undefined;
