import { z } from 'zod';
import { LogRetention } from '../../model/log-retention.ts';
import { ApplicationName, ServiceName } from '../../model/names.ts';
import { LogEvent } from '../log-stream.ts';
import { flag, inEnvironment, logQuery } from '../parameters.ts';
import { route } from '../route.ts';

const base = '/api/v1/environments/{environment}' as const;

export const manyLogsQuery = logQuery
  .extend({
    /** Only lines until this time. */
    until: z.iso.datetime({ offset: true }).optional(),
    /** Only lines that have this text in them. */
    contains: z.string().min(1).max(1000).optional(),
    ignoreCase: flag.default(false),
    application: ApplicationName.optional(),
    service: ServiceName.optional(),
    /** `<slot>`, or `<slot>.g<generation>`. */
    replica: z
      .string()
      .regex(/^\d{1,10}(\.g\d{1,10})?$/, 'expected <slot> or <slot>.g<generation>, for example 0 or 0.g1')
      .optional(),
    /**
     * Where to go on after a stream that ended: for each container whose lines came, `<container>~<time of its last line on
     * stdout>~<on stderr>`, times empty where none came; divided by commas.
     */
    cursor: z
      .string()
      .max(7_000)
      .regex(/^[0-9a-z]{12}~[0-9TZ:.-]*~[0-9TZ:.-]*(,[0-9a-z]{12}~[0-9TZ:.-]*~[0-9TZ:.-]*)*$/)
      .optional(),
  })
  .refine(({ service, application }) => service === undefined || application !== undefined, {
    path: ['service'],
    message: 'expected an application with it',
  });
export type ManyLogsQuery = z.infer<typeof manyLogsQuery>;

export const readLogs = route({
  name: 'read-logs',
  method: 'GET',
  path: `${base}/logs`,
  permission: 'logs.read',
  summary:
    'Log lines of all replicas in the order of time, also of those that are gone, as server-sent events.',
  params: inEnvironment,
  query: manyLogsQuery,
  answerType: 'text/event-stream',
  answer: LogEvent,
});

export const getLogRetention = route({
  name: 'get-log-retention',
  method: 'GET',
  path: `${base}/log-retention`,
  permission: 'logs.read',
  summary: 'How many days logs of an environment are kept.',
  params: inEnvironment,
  answer: LogRetention,
});

export const putLogRetention = route({
  name: 'put-log-retention',
  method: 'PUT',
  path: `${base}/log-retention`,
  permission: 'logs.admin',
  summary: 'Changes how many days logs of an environment are kept; what is older goes the next night.',
  params: inEnvironment,
  body: { schema: LogRetention },
  answer: LogRetention,
});
