import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { sourceOf } from '../../shared/logs/log-source.ts';
import { type LogAnswer, LogReport } from '../../shared/machines/log-report.ts';
import { type Services, services } from '../services.ts';
import { withProblems } from './endpoint.ts';
import { callingMachine } from './machine-caller.ts';
import { readBody } from './read-body.ts';

/** The agent sends a megabyte of text at most, which JSON may make longer. */
const LIMIT = 8 * 1024 * 1024;

/** A machine sends what its containers wrote. It is kept under the machine's own name, whatever its labels say. */
export async function keepLogs(
  request: HttpRequest,
  made: Pick<Services, 'machines' | 'machineTokens' | 'logs'>,
): Promise<HttpResponseInit> {
  const { name } = await callingMachine(request, made);
  const { parts } = await readBody(request, { schema: LogReport }, LIMIT);
  const answers = await Promise.all(
    parts.map(async ({ container, place, text }) => {
      const source = sourceOf(container, name);
      // Not labelled as ours are: sent again it would be no better.
      if (source === undefined) return { moved: false };
      const { moved, place: next, stdout, stderr } = await made.logs.append(source, place, text);
      return {
        moved,
        ...(next === undefined ? {} : { place: next }),
        ...(stdout === undefined ? {} : { stdout }),
        ...(stderr === undefined ? {} : { stderr }),
      };
    }),
  );
  return { jsonBody: { parts: answers } satisfies LogAnswer };
}

app.http('machine-logs', {
  methods: ['POST'],
  route: 'api/v1/machines/{name}/logs',
  authLevel: 'anonymous',
  handler: withProblems((request) => keepLogs(request, services())),
});
