import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import * as df from 'durable-functions';
import { bootFailure } from '../../shared/machines/boot-report.ts';
import { READY_EVENT } from '../../shared/machines/machine-activities.ts';
import { BootRequest } from '../../shared/machines/observation.ts';
import { raiseEvent } from '../instances.ts';
import { type Services, services } from '../services.ts';
import { withProblems } from './endpoint.ts';
import { callingMachine } from './machine-caller.ts';
import { readBody } from './read-body.ts';

/** A machine tells how its cloud-init ended: recorded, and who waits for a machine that will not come is told. */
export async function boot(
  request: HttpRequest,
  made: Services,
  client: df.DurableClient,
): Promise<HttpResponseInit> {
  const caller = await callingMachine(request, made);
  const report = await readBody(request, { schema: BootRequest });
  const at = made.now().toISOString();
  const machine = await made.machines.change(caller.name, (current) =>
    current.vmId === caller.vmId ? { ...current, boot: { ...report, at } } : undefined,
  );
  if (machine !== undefined && bootFailure(machine) !== undefined)
    await raiseEvent(client, machine.owner, READY_EVENT, machine);
  return { status: 204 };
}

app.http('machine-boot', {
  methods: ['POST'],
  route: 'api/v1/machines/{name}/boot',
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: withProblems((request, context) => boot(request, services(), df.getClient(context))),
});
