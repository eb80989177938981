import { z } from 'zod';
import { ContentName } from './files.ts';
import { ApplicationName, EnvironmentName } from './names.ts';

/** Where a secret is known: in all of an environment, or to one application of it, whose own comes first. */
export const SecretKey = z.object({
  environment: EnvironmentName,
  application: ApplicationName.optional(),
  name: ContentName,
});
export type SecretKey = z.infer<typeof SecretKey>;

/** A secret without its value. */
export const SecretRecord = z.object({
  key: SecretKey,
  /** Grows with every value that it is given, also after it was removed: 1, 2, 3, … */
  version: z.number().int().positive(),
  /** Bytes. */
  size: z.number().int().min(0),
  changedAt: z.iso.datetime(),
  /** Last part of the name under which the value is sealed; absent: it was removed. */
  sealed: z.string().optional(),
});
export type SecretRecord = z.infer<typeof SecretRecord>;

/** Bytes of one secret. Kubernetes' and Swarm's limits are 1 MiB and 500 kB. */
export const MOST_SECRET = 256 * 1024;
