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
      name && made.hooks.get(name),
      name === undefined ? [] : made.hooks.secretsOf(name),
    ]);
    if (name === undefined || hook === undefined) throw unknownHook(request.params['name'] ?? '');
    const headerOf = (header: string): string | null => request.headers.get(header);
    const id =
      hook.signature === 'github'
        ? await verifyGitHubWebhook(headerOf, body, secrets)
        : await verifyStandardWebhook(headerOf, body, secrets, made.now());
    const { id: _configured, ...command } = hook.command;
    const event = commandEvent(command, `hooks/${name}`, id, made.now());
    const { status, hash } = await acceptEvent(made, df.getClient(context), event);
    return { status: 202, jsonBody: { status, hash } };
  }),
});

/** Answers as a wrong signature does, so that the names of hooks cannot be found out. */
const unknownHook = (name: string): Terminal =>
  new Terminal({
    code: 'hook-refused',
    status: 401,
    message: `There is no hook "${name}", or the delivery is not signed for it.`,
    remedy: 'Make the hook with PUT /api/v1/hooks/{name} and sign with the secret that it answers.',
  });
