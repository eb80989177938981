import { app, type HttpRequest, HttpResponse } from '@azure/functions';
import * as df from 'durable-functions';
import { services } from '../services.ts';
import { registryFor } from './registry-handler.ts';
import './slow-uploads.ts';

/** The image registry. It checks its callers itself, as registries do: the host must let them through. */
app.http('registry', {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  route: 'v2/{*rest}',
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const answer = registryFor(services(), context);
    return toHttpResponse(await answer(toRequest(request)));
  },
});

/** Bodies are passed on as streams in both directions: nothing is held. */
function toRequest({ url, method, headers, body }: HttpRequest): Request {
  return new Request(url, {
    method,
    headers: Object.fromEntries(headers),
    ...(body === null || body === undefined ? {} : { body, duplex: 'half' }),
  });
}

const toHttpResponse = ({ status, headers, body }: Response): HttpResponse =>
  new HttpResponse({ status, headers: Object.fromEntries(headers), ...(body === null ? {} : { body }) });
