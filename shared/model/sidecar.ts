import { z } from 'zod';
import { containerOptions } from './container-options.ts';
import { fileUses } from './files.ts';
import { Digest } from './image.ts';
import { volumeUses } from './volume.ts';

/** Those that the container has whose network a sidecar is in. */
type OfTheNetwork = 'hostname' | 'extraHosts';
const { hostname: _, extraHosts: __, ...options } = containerOptions;
const sidecarOptions: Omit<typeof containerOptions, OfTheNetwork> = options;

/**
 * A container beside each replica of a service: in its network, with its volumes, started after it and stopped after it.
 * @param common what services have too
 */
export const sidecarSpec = <Common extends z.ZodRawShape>(common: Common) =>
  z.strictObject({
    ...common,
    ...sidecarOptions,
    ...fileUses,
    ...volumeUses,
    /** Filled in when the application is deployed: what `image` meant then. */
    digest: Digest.optional(),
  });
