import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { commandEvent } from '../../shared/events/command-event.ts';
import { type Hook, proofOf } from '../../shared/events/hooks.ts';
import { type Delivery, parseDelivery } from '../../shared/events/pushes/parse-delivery.ts';
import { outsidePushEvent } from '../../shared/events/pushes/push-event.ts';
import { verifyDelivery, verifyToken } from '../../shared/events/verify-delivery.ts';
import { Terminal } from '../../shared/model/errors.ts';
import { HookName } from '../../shared/model/names.ts';
import { acceptEvent } from '../accept-event.ts';
import { type Services, services } from '../services.ts';
import { withProblems } from './endpoint.ts';
import { readBytes } from './read-body.ts';

/** Largest delivery that is read: GitHub's own limit is 25 MB, what we keep of one is a command or some pushes. */
const MAX_BYTES = 1024 * 1024;

/** `POST /api/hooks/{name}`: a delivery that proves its sender gives the hook's command, or tells of pushes elsewhere. */
export async function receiveHook(
  request: HttpRequest,
  context: InvocationContext,
  made: Services,
): Promise<HttpResponseInit> {
  const name = HookName.safeParse(request.params.name).data;
  // Read side by side, since a container waits for it; an unknown hook has no secret either.
  const [body, hook, secrets] = await Promise.all([
    readBytes(request, MAX_BYTES),
    name === undefined ? undefined : made.hooks.get(name),
    name === undefined ? [] : made.hooks.secretsOf(name),
  ]);
  const now = made.now();
  const headerOf = (header: string): string | null => request.headers.get(header);
  const { proof, id } = await verifyDelivery(headerOf, request.query.get('token'), body, secrets, now);
  if (hook === undefined || proofOf(hook) !== proof) throw otherProof();
  if ('pushes' in hook) return await receivePushes(made, context, hook, { body, headerOf, id, now });
  const { id: _configured, ...command } = hook.command;
  const event = commandEvent(command, `hooks/${name}`, id, now);
  const { status, hash } = await acceptEvent(made, df.getClient(context), event);
  return { status: 202, jsonBody: { status, hash } };
}

async function receivePushes(
  made: Services,
  context: InvocationContext,
  { name, pushes: { from, host } }: Extract<Hook, { pushes: unknown }>,
  delivery: Delivery,
): Promise<HttpResponseInit> {
  const told = parseDelivery(from, host, delivery);
  // Event Grid takes nothing but 200 for this.
  if (told.told === 'validation') return { status: 200, jsonBody: { validationResponse: told.code } };
  if (told.told === 'other') return { status: 202, jsonBody: { status: 'ignored', what: told.what } };
  const events = [];
  for (const push of told.pushes) {
    const event = outsidePushEvent(push, name, delivery.now);
    const { status, hash } = await acceptEvent(made, df.getClient(context), event);
    events.push({ status, hash });
  }
  return { status: 202, jsonBody: { status: 'accepted', events } };
}

/**
 * `OPTIONS /api/hooks/{name}`: Event Grid asks, before it sends CloudEvents, whether they are wanted.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md ("Abuse protection")
 */
export async function allowSender(request: HttpRequest, made: Services): Promise<HttpResponseInit> {
  const origin = request.headers.get('webhook-request-origin');
  const name = HookName.safeParse(request.params.name).data;
  await verifyToken(
    request.query.get('token') ?? '',
    name === undefined ? [] : await made.hooks.secretsOf(name),
  );
  const rate = request.headers.get('webhook-request-rate');
  return {
    status: 200,
    headers: {
      allow: 'POST, OPTIONS',
      ...(origin === null ? {} : { 'webhook-allowed-origin': origin }),
      ...(rate === null ? {} : { 'webhook-allowed-rate': '*' }),
    },
  };
}

/** Whoever knows the secret hears that it is used otherwise; and a race leaves this, in which the hook was removed. */
const otherProof = (): Terminal =>
  new Terminal({
    code: 'signature-invalid',
    status: 401,
    message: 'The delivery was refused: its hook wants another proof, or was removed meanwhile.',
    remedy:
      'See docs/events.md for what each sender proves itself with; make the hook with PUT /api/v1/hooks/{name}.',
  });

app.http('receive-hook', {
  methods: ['POST', 'OPTIONS'],
  route: 'api/hooks/{name}',
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: withProblems((request: HttpRequest, context: InvocationContext) =>
    request.method === 'OPTIONS'
      ? allowSender(request, services())
      : receiveHook(request, context, services()),
  ),
});
