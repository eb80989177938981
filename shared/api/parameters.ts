import { z } from 'zod';
import { Digest, Tag } from '../model/image.ts';
import { ApplicationName, EnvironmentName, JobName, MachineName, ServiceName } from '../model/names.ts';

/** Parameters of paths and queries that several routes share. */
export const inEnvironment = z.object({ environment: EnvironmentName });
export const ofApplication = inEnvironment.extend({ application: ApplicationName });
export const ofService = ofApplication.extend({ service: ServiceName });
export const ofJob = ofApplication.extend({ job: JobName });
export const ofMachine = z.object({ machine: MachineName });
export const ofRun = ofJob.extend({
  run: z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'expected the id of a run'),
});

/** `<slot>.g<generation>`, as lists of replicas name them. */
export const ofReplica = ofService.extend({
  replica: z
    .string()
    .regex(/^\d{1,10}\.g\d{1,10}$/, 'expected <slot>.g<generation>, for example 0.g1')
    .transform((text) => {
      const [slot = '', generation = ''] = text.split('.g');
      return { slot: Number(slot), generation: Number(generation) };
    }),
});

/** A tag or a digest. */
export const reference = z.union([Digest, Tag], 'expected a tag or a digest (sha256:…)');

export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const logQuery = z.strictObject({
  /** Stay and send new lines as they come; at most 200 s, after which the client resumes. */
  follow: flag.default(false),
  /** Only lines after this time, RFC 3339: also what an `id` of the stream says. The header Last-Event-ID does the same. */
  since: z.iso.datetime({ offset: true }).optional(),
  /** How many of the last lines to begin with. */
  tail: z.coerce.number().int().min(0).max(100_000).optional(),
});
export type LogQuery = z.infer<typeof logQuery>;
