import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { IMAGE_BUILDERS } from '../../shared/machines/golden/builder-pool.ts';
import { BY_HAND } from '../../shared/machines/machine-names.ts';
import { NetworkRequest } from '../../shared/networks/protocol.ts';
import { type Services, services } from '../services.ts';
import { withProblems } from './endpoint.ts';
import { callingMachine } from './machine-caller.ts';
import { readBody } from './read-body.ts';

/** A machine joins the containers' network. Replicas never come to machines made by hand: they have no part in it. */
export async function joinNetwork(request: HttpRequest, made: Services): Promise<HttpResponseInit> {
  const machine = await callingMachine(request, made);
  const wish = await readBody(request, { schema: NetworkRequest });
  if (machine.pool === BY_HAND || machine.pool === IMAGE_BUILDERS) return { status: 204 };
  const answer = await made.networks.join(machine, wish);
  return answer === undefined ? { status: 204 } : { jsonBody: answer };
}

app.http('machine-network', {
  methods: ['POST'],
  route: 'api/v1/machines/{name}/network',
  authLevel: 'anonymous',
  handler: withProblems((request) => joinNetwork(request, services())),
});
