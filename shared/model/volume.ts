import { z } from 'zod';
import { FileMode, MountTarget } from './container-options.ts';
import { ContentName } from './files.ts';
import { orShort } from './short-form.ts';

const readOnly = z.boolean().optional();

const HostPath = z
  .string()
  .regex(/^\/[^\0:]*$/, 'expected a path of the machine that begins with /')
  .refine((path) => !path.split('/').includes('..'), 'expected a path without ..');

/**
 * What a container sees at `target`. `data:/var/lib/data` is a volume of the application, `/srv/data:/data:ro` a folder of
 * the machine.
 */
export const VolumeUse = orShort(
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('volume'), source: ContentName, target: MountTarget, readOnly }),
    z.strictObject({ type: z.literal('host'), source: HostPath, target: MountTarget, readOnly }),
    z.strictObject({
      type: z.literal('tmpfs'),
      target: MountTarget,
      /** MiB. */
      size: z.number().int().positive().optional(),
      mode: FileMode.optional(),
    }),
  ]),
  'string',
  (text) => {
    const [source = '', target, access, ...more] = String(text).split(':');
    // What is too much becomes a key that nothing knows, so that it is refused and not overheard.
    const rest = more.length > 0 || !['ro', 'rw', undefined].includes(access) ? { [`${text}`]: true } : {};
    return {
      type: source.startsWith('/') ? 'host' : 'volume',
      source,
      target,
      ...(access === 'ro' && { readOnly: true }),
      ...rest,
    };
  },
);
export type VolumeUse = z.infer<typeof VolumeUse>;

/** A volume of an application. It has no options yet; each slot of a service that uses it has one of its own. */
export const VolumeSpec = z.preprocess((value) => value ?? {}, z.strictObject({})) as unknown as z.ZodType<
  Record<string, never>
>;

export const volumeUses = { volumes: z.array(VolumeUse).max(100).optional() };

/** Names of the application's volumes among what a service uses. */
export const namedVolumes = (uses: readonly VolumeUse[] | undefined): readonly string[] => [
  ...new Set((uses ?? []).flatMap((use) => (use.type === 'volume' ? [use.source] : []))),
];
