import { z } from 'zod';
import { Run } from '../../model/job.ts';
import { Accepted } from '../accepted.ts';
import { ofRun, ofService } from '../parameters.ts';
import { route } from '../route.ts';

export const runInService = route({
  name: 'run-in-service',
  method: 'POST',
  path: '/api/v1/environments/{environment}/services/{application}/{service}/runs',
  permission: 'applications.exec',
  summary:
    'Runs a command once in a new container like those of the service’s newest revision. It is a run under the service’s name: ask for it and its log as for those of jobs.',
  params: ofService,
  body: {
    schema: z.strictObject({
      command: z.array(z.string()).min(1).max(1000),
      /** Beside the service's own. */
      variables: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
      /** Seconds. */
      timeout: z.number().int().min(1).max(86_400).default(3600),
      /** Whether it ends when nobody has asked for a minute that it go on (`watch-run`). */
      watched: z.boolean().default(false),
    }),
  },
  status: 202,
  answer: Accepted.extend({ run: z.string() }),
});

const one = '/api/v1/environments/{environment}/jobs/{application}/{job}/runs/{run}' as const;

export const watchRun = route({
  name: 'watch-run',
  method: 'POST',
  path: `${one}/watch`,
  permission: 'applications.exec',
  summary: 'Lets a run that is watched go on for another minute.',
  params: ofRun,
  answer: Run,
});

export const cancelRun = route({
  name: 'cancel-run',
  method: 'DELETE',
  path: one,
  permission: 'applications.exec',
  summary: 'Ends a run: its container is stopped, or never started. One that has ended stays as it is.',
  params: ofRun,
  answer: Run,
});
