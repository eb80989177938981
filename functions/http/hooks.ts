import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { commandEvent } from '../../shared/events/command-event.ts';
import { verifyGitHubWebhook } from '../../shared/events/github-signature.ts';
import { verifyStandardWebhook } from '../../shared/events/standard-webhooks.ts';
import { Terminal } from '../../shared/model/errors.ts';
import { HookName } from '../../shared/model/names.ts';
import { acceptEvent } from '../accept-event.ts';
import { services } from '../services.ts';
import { withProblems } from './endpoint.ts';
import { readBytes } from './read-body.ts';

/** Largest delivery that is read: GitHub's own limit is 25 MB, what we keep of one is a command. */
const MAX_BYTES = 1024 * 1024;

/** `POST /api/hooks/{name}`: a delivery whose signature fits gives the hook's command; its id refuses a replay. */
app.http('receive-hook', {
  methods: ['POST'],
  route: 'api/hooks/{name}',
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: withProblems(async (request: HttpRequest, context: InvocationContext) => {
    const made = services();
    const name = HookName.safeParse(request.params['name']).data;
    // Read side by side, since a container waits for it; an unknown hook has no secret either.
    const [body, hook, secrets] = await Promise.all([
      readBytes(request, MAX_BYTES),
      name === undefined ? undefined : made.hooks.get(name),
      name === undefined ? [] : made.hooks.secretsOf(name),
    ]);
    const headerOf = (header: string): string | null => request.headers.get(header);
    const byGitHub = headerOf('x-hub-signature-256') !== null;
    const id = (hook === undefined ? byGitHub : hook.signature === 'github')
      ? await verifyGitHubWebhook(headerOf, body, secrets)
      : await verifyStandardWebhook(headerOf, body, secrets, made.now());
    if (hook === undefined) throw unknownHook();
    const { id: _configured, ...command } = hook.command;
    const event = commandEvent(command, `hooks/${name}`, id, made.now());
    const { status, hash } = await acceptEvent(made, df.getClient(context), event);
    return { status: 202, jsonBody: { status, hash } };
  }),
});

/**
 * Only what a race leaves: a hook that is unknown has no secret, so that its deliveries fail as a wrong signature does
 * and the names of hooks cannot be found out.
 */
const unknownHook = (): Terminal =>
  new Terminal({
    code: 'signature-invalid',
    status: 401,
    message: 'The delivery was refused: its hook was removed meanwhile',
    remedy: 'Make the hook again with PUT /api/v1/hooks/{name}.',
  });
