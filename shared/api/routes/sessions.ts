import { z } from 'zod';
import { MachineName } from '../../model/names.ts';
import { ofService } from '../parameters.ts';
import { route } from '../route.ts';

const service = '/api/v1/environments/{environment}/services/{application}/{service}' as const;
const one = '/api/v1/sessions/{session}' as const;

/** Chosen by the caller, so that a request that is sent again begins nothing twice. */
const SessionId = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hex digits');
const ofSession = z.object({ session: SessionId });

export const replicaName = z
  .string()
  .regex(/^\d{1,10}(\.g\d{1,10})?$/, 'expected <slot> or <slot>.g<generation>, for example 0 or 0.g1');

const size = z.strictObject({
  rows: z.number().int().min(1).max(10_000),
  columns: z.number().int().min(1).max(10_000),
});

const base = {
  session: SessionId,
  /** The first that is healthy, if left out. */
  replica: replicaName.optional(),
};

export const ExecBody = z.strictObject({
  ...base,
  command: z.array(z.string()).min(1).max(1000),
  tty: z.boolean().default(false),
  stdin: z.boolean().default(false),
  environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
  user: z.string().min(1).max(100).optional(),
  workingDirectory: z.string().startsWith('/').optional(),
  size: size.optional(),
});
export type ExecBody = z.infer<typeof ExecBody>;

const Begun = z.object({ session: SessionId, replica: z.string(), machine: MachineName });

export const execInService = route({
  name: 'exec-in-service',
  method: 'POST',
  path: `${service}/exec`,
  permission: 'applications.exec',
  summary:
    'Runs a command in the container of a replica; what it says and is given goes through its session.',
  params: ofService,
  body: { schema: ExecBody },
  status: 201,
  answer: Begun,
});

export const tunnelToService = route({
  name: 'tunnel-to-service',
  method: 'POST',
  path: `${service}/tunnel`,
  permission: 'applications.exec',
  summary: 'Connects to the port of a replica; the bytes go through its session.',
  params: ofService,
  body: {
    schema: z.strictObject({
      ...base,
      port: z.number().int().min(1).max(65_535).optional(),
      /** Of connections that belong together only the first is an event. */
      tunnel: SessionId.optional(),
    }),
  },
  status: 201,
  answer: Begun,
});

/** Bytes of input that one request may bring. */
export const MOST_INPUT = 256 * 1024;

export const SessionEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('piece'),
    data: z.object({ seq: z.number().int(), stream: z.enum(['stdout', 'stderr']), bytes: z.base64() }),
  }),
  /** It has ended: with this exit code, if it had one, or for this reason. */
  z.object({
    event: z.literal('exit'),
    data: z.object({
      seq: z.number().int(),
      code: z.number().int().nullable(),
      fault: z.string().optional(),
    }),
  }),
  /** The stream has ended, not the session: ask again, from this number on. */
  z.object({ event: z.literal('end'), data: z.object({ from: z.number().int() }) }),
  /** The session is lost. */
  z.object({ event: z.literal('lost'), data: z.object({ code: z.string(), message: z.string() }) }),
]);
export type SessionEvent = z.infer<typeof SessionEvent>;

export const readSession = route({
  name: 'read-session',
  method: 'GET',
  path: `${one}/output`,
  permission: 'applications.exec',
  summary:
    'What comes of a session, as server-sent events; at most 200 s, then ask again from the next number on.',
  params: ofSession,
  query: z.strictObject({ from: z.coerce.number().int().min(0).default(0) }),
  answerType: 'text/event-stream',
  answer: SessionEvent,
});

export const writeSession = route({
  name: 'write-session',
  method: 'POST',
  path: `${one}/input`,
  permission: 'applications.exec',
  summary: 'Gives a session input, from a byte on: sent again it is given once.',
  params: ofSession,
  body: {
    schema: z.strictObject({
      at: z.number().int().min(0),
      bytes: z.base64().max((MOST_INPUT / 3) * 4 + 4),
      end: z.boolean().default(false),
    }),
  },
  answer: z.object({ taken: z.number().int() }),
});

export const resizeSession = route({
  name: 'resize-session',
  method: 'POST',
  path: `${one}/size`,
  permission: 'applications.exec',
  summary: 'Tells a session the size of the terminal.',
  params: ofSession,
  body: { schema: size },
  status: 204,
  answer: z.null(),
});

export const closeSession = route({
  name: 'close-session',
  method: 'DELETE',
  path: one,
  permission: 'applications.exec',
  summary: 'Closes a session. A command without a terminal may go on in its container.',
  params: ofSession,
  status: 204,
  answer: z.null(),
});
