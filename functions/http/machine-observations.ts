import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import * as df from 'durable-functions';
import { wantsCertificate } from '../../shared/machines/certificate-renewal.ts';
import { heard, isNewlyReady, replicaDied, replicaUnhealthy } from '../../shared/machines/heard.ts';
import { READY_EVENT } from '../../shared/machines/machine-activities.ts';
import { MachineObservation, type ObservationAnswer } from '../../shared/machines/observation.ts';
import { fenceMachine } from '../../shared/workloads/fence-machine.ts';
import { acceptEvent } from '../accept-event.ts';
import { raiseEvent } from '../instances.ts';
import { type Services, services } from '../services.ts';
import { withProblems } from './endpoint.ts';
import { callingMachine } from './machine-caller.ts';
import { readBody } from './read-body.ts';

/** A machine reports: that it lives, and which containers died. Deaths are stored before they are acknowledged. */
export async function observe(
  request: HttpRequest,
  made: Services,
  client: df.DurableClient,
): Promise<HttpResponseInit> {
  const caller = await callingMachine(request, made);
  const { died, containers } = await readBody(request, { schema: MachineObservation });
  const now = made.now();
  // The record was read a moment ago: where it says enough, it is not read again.
  const isDue = heard(caller, now) !== undefined;
  const changed = isDue && (await made.machines.change(caller.name, (current) => heard(current, now)));
  const machine = changed || caller;
  if (isNewlyReady(machine, now)) await raiseEvent(client, machine.owner, READY_EVENT, machine);
  // Its replicas were given to other machines: what it still runs of them ends before anything else.
  if (changed && caller.status.state === 'silent' && machine.address !== undefined)
    await fenceMachine(made.workloads, { name: machine.name, address: machine.address }, containers);
  for (const death of died ?? []) {
    const event = replicaDied(machine.name, death);
    if (event !== undefined) await acceptEvent(made, client, event);
  }
  for (const container of containers) {
    const event = replicaUnhealthy(machine.name, container, now);
    if (event !== undefined) await acceptEvent(made, client, event);
  }
  const answer: ObservationAnswer = {
    ...(wantsCertificate(machine, now) && { renewCertificate: true }),
    // What others were told while this machine was not ready, nobody told it.
    ...(machine.network !== undefined &&
      changed &&
      caller.status.state !== 'ready' && { refreshNetwork: true }),
  };
  return Object.keys(answer).length === 0 ? { status: 204 } : { jsonBody: answer };
}

app.http('machine-observations', {
  methods: ['POST'],
  route: 'api/v1/machines/{name}/observations',
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: withProblems((request, context) => observe(request, services(), df.getClient(context))),
});
