import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import * as df from 'durable-functions';
import { type ScheduledEventsAnswer, ScheduledEventsReport } from '../../shared/machines/observation.ts';
import { announced } from '../../shared/machines/replacement/scheduled-events.ts';
import { setClosed } from '../../shared/scheduling/close-room.ts';
import { takeLook } from '../activities/look-at-drain.ts';
import { type Services, services } from '../services.ts';
import { startDrain } from '../start-drain.ts';
import { withProblems } from './endpoint.ts';
import { callingMachine } from './machine-caller.ts';
import { readBody } from './read-body.ts';

/** A machine tells what Azure is about to do to it; what is on it moves at once. */
export async function announce(
  request: HttpRequest,
  made: Services,
  client: df.DurableClient,
): Promise<HttpResponseInit> {
  const caller = await callingMachine(request, made);
  const { events } = await readBody(request, { schema: ScheduledEventsReport });
  const now = made.now();
  const before = announced(caller, events, now);
  const changed =
    before.machine === undefined
      ? undefined
      : await made.machines.change(caller.name, (current) => announced(current, events, now).machine);
  const machine = changed ?? (await made.machines.get(caller.name)) ?? caller;
  if (changed !== undefined) await setClosed(made.tables, machine, machine.cordon !== undefined);
  if (machine.cordon?.drain === true && machine.cordon.drainedAt === undefined) {
    // Seconds count: what is there is asked to move before an orchestration follows it.
    if (changed !== undefined) await takeLook(machine.name, 0, made, client);
    await startDrain(client, machine.name);
  }
  const answer: ScheduledEventsAnswer = { approve: [...announced(machine, events, now).approve] };
  return { status: 200, jsonBody: answer };
}

app.http('machine-scheduled-events', {
  methods: ['POST'],
  route: 'api/v1/machines/{name}/scheduled-events',
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: withProblems((request, context) => announce(request, services(), df.getClient(context))),
});
