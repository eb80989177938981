import { z } from 'zod';
import { Machine } from '../../model/machine.ts';
import { MachineName } from '../../model/names.ts';
import { signature } from '../../model/signature.ts';
import type { Progress } from '../cloud.ts';
import { GoldenImage } from './golden-image.ts';

const Profile = z.string();

export const BuildGoldenImage = z.object({
  profile: Profile,
  base: z.string(),
  /** In the order in which they are tried. */
  sizes: z.array(z.string()),
  attempt: z.number().int().min(1),
  /** The machine that becomes the image; unused before. */
  builder: MachineName,
});
export type BuildGoldenImage = z.infer<typeof BuildGoldenImage>;

export const GoldenImageBuilt = z.discriminatedUnion('status', [
  z.object({ status: z.literal('ready') }),
  /** Its record says why too; nothing of it is left in ARM, or the sweep removes it. */
  z.object({ status: z.literal('failed'), code: z.string(), reason: z.string() }),
]);
export type GoldenImageBuilt = z.infer<typeof GoldenImageBuilt>;

/** Orchestration; instance id `golden-<builder>`. */
export const buildGoldenImage = signature('build-golden-image', {
  input: BuildGoldenImage,
  output: GoldenImageBuilt,
});

/** Records names before ARM hears of them; answers the record as it is then: another's if that was there. */
export const recordGoldenImage = signature('record-golden-image', {
  input: BuildGoldenImage.extend({ owner: z.string() }),
  output: GoldenImage,
});

/** How far a machine is that becomes an image. `off`: its power is gone, and its console does not say why. */
export const Builder = z.discriminatedUnion('state', [
  z.object({ state: z.literal('working') }),
  z.object({ state: z.literal('clean') }),
  z.object({ state: z.literal('off') }),
  z.object({ state: z.literal('unfit'), reason: z.string() }),
]);
export type Builder = z.infer<typeof Builder>;

export const lookAtBuilder = signature('look-at-builder', {
  input: z.object({ machine: MachineName }),
  output: Builder,
});

/** Makes an orchestration the owner of a machine that has become clean; answers its record, null if it is gone. */
export const adoptBuilder = signature('adopt-builder', {
  input: z.object({ machine: MachineName, owner: z.string() }),
  output: Machine.nullable(),
});

/** One call of ARM about an image, or about the machine that becomes one. */
export const ImageCall = z.discriminatedUnion('call', [
  z.object({ call: z.literal('deallocate'), vm: z.string() }),
  z.object({ call: z.literal('generalize'), vm: z.string() }),
  z.object({ call: z.literal('capture'), vm: z.string(), name: z.string(), profile: Profile }),
  z.object({ call: z.literal('remove'), name: z.string() }),
]);
export type ImageCall = z.infer<typeof ImageCall>;

export const callForImage = signature('call-for-image', {
  input: ImageCall,
  /** Our own values, checked where they were made. */
  output: z.custom<Progress>(),
});

/** Records how the build ended, unless the record is another orchestration's meanwhile. */
export const endGoldenImage = signature('end-golden-image', {
  input: z.object({ profile: Profile, owner: z.string(), built: GoldenImageBuilt }),
  output: z.null(),
});
