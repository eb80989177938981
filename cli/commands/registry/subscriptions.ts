import type { Command } from 'commander';
import {
  deleteSubscription,
  getSubscription,
  listSubscriptions,
  putSubscription,
  replaceSubscriptionSecret,
  testSubscription,
} from '../../../shared/api/routes/subscriptions.ts';
import type { Destination, Sink, Subscription } from '../../../shared/model/subscription.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { ago, harmless, type Output, table } from '../../output.ts';
import { withSession } from '../../session.ts';
import { addDeadEvents } from './dead-events.ts';

interface CreateOptions {
  readonly url?: string;
  readonly topic?: string;
  readonly repositories?: readonly string[];
  readonly actions?: readonly string[];
  readonly format?: string;
  readonly allowHttp?: boolean;
  readonly allowPrivate?: boolean;
}

const words = (text: string): string[] => text.split(',').map((word) => word.trim());
function sinkText(sink: Destination): string {
  if (sink.kind === 'replication') return `registry ${sink.registry.url}`;
  return sink.kind === 'webhook' ? sink.url : `topic ${sink.topic}`;
}

function showSecret(output: Output, secret: string): void {
  // As JSON it stands in the data.
  if (output.json) return;
  output.say(
    'The secret that deliveries are signed with (https://www.standardwebhooks.com), shown this once:',
  );
  process.stdout.write(`${secret}\n`);
}

export function addSubscriptions(registry: Command): void {
  const subscriptions = registry
    .command('subscriptions')
    .description('who hears of what is done in repositories, and what could not be delivered');
  subscriptions
    .command('list', { isDefault: true })
    .description('subscriptions by name')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { subscriptions: found } = await client.call(listSubscriptions);
        output.data(found, () =>
          table(
            ['SUBSCRIPTION', 'REPOSITORIES', 'ACTIONS', 'FORMAT', 'TO'],
            found.map(({ name, repositories, actions, format, sink }) => [
              name,
              repositories.join(','),
              actions.join(','),
              format,
              harmless(sinkText(sink)),
            ]),
            'Nobody hears of anything: berth registry subscriptions create NAME --url https://…',
          ),
        );
      }),
    );
  subscriptions
    .command('create')
    .description('makes a subscription, or changes of the one of that name what is said')
    .argument('<name>')
    .option('--url <url>', 'webhook, https: deliveries are signed')
    .option('--topic <topic>', 'topic of the Service Bus namespace; the session is the repository')
    .option('--repositories <patterns>', 'which, comma-separated patterns; all if left out', words)
    .option('--actions <actions>', 'of push, pull, delete and mount; all if left out', words)
    .option('--format <format>', 'cloudevents, or distribution: the envelope of the registry of that name')
    .option('--allow-http', 'the webhook may be plain http')
    .option('--allow-private', 'the webhook may be at a private or loopback address')
    .action((subscription: string, options: CreateOptions, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const sink = sinkOf(options);
        const { subscriptions: there } = await client.call(listSubscriptions);
        // What is changed keeps what is not named.
        const before = there.find(({ name }) => name === subscription);
        const json = {
          repositories: options.repositories ?? before?.repositories ?? ['**'],
          actions: options.actions ?? before?.actions,
          format: options.format ?? before?.format,
          sink,
        };
        const made = await client.call(putSubscription, { params: { subscription }, json });
        output.say(`Subscription ${subscription} sends to ${sinkText(made.subscription.sink)}.`);
        if (output.json) output.data(made, () => '');
        if (made.secret !== undefined) showSecret(output, made.secret);
      }),
    );
  subscriptions
    .command('show')
    .description('a subscription, what waits for it, and what the last attempt came to')
    .argument('<name>')
    .action((subscription: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getSubscription, { params: { subscription } });
        output.data(found, () => describe(found));
      }),
    );
  subscriptions
    .command('delete')
    .description('removes a subscription, with what waits for it and what was given up')
    .argument('<name>')
    .action((subscription: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        await client.call(deleteSubscription, { params: { subscription } });
        output.say(`Subscription ${subscription} is removed.`);
      }),
    );
  subscriptions
    .command('secret')
    .description('makes a new secret; for 24 hours deliveries are signed with the old one too')
    .argument('<name>')
    .action((subscription: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const made = await client.call(replaceSubscriptionSecret, { params: { subscription } });
        if (output.json) output.data(made, () => '');
        showSecret(output, made.secret);
      }),
    );
  subscriptions
    .command('test')
    .description('sends an event that tells of nothing, and says what it came to')
    .argument('<name>')
    .action((subscription: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { accepted, answer } = await client.call(testSubscription, { params: { subscription } });
        if (!accepted)
          throw new Failure({
            code: 'test-not-accepted',
            message: `The test event was not accepted: ${answer}.`,
            remedy: `Mend the receiver, or change the subscription: berth registry subscriptions create ${subscription} …`,
            exitCode: exitCodes.failed,
          });
        output.data({ accepted, answer }, () => `accepted: ${harmless(answer)}`);
      }),
    );
  addDeadEvents(subscriptions);
}

function sinkOf({ url, topic, allowHttp = false, allowPrivate = false }: CreateOptions): Sink {
  if (url !== undefined && topic === undefined) return { kind: 'webhook', url, allowHttp, allowPrivate };
  if (topic !== undefined && url === undefined) return { kind: 'service-bus', topic };
  throw new Failure({
    code: 'sink-not-named',
    message: 'Say where the events go: --url or --topic, one of them.',
    remedy: 'For example: berth registry subscriptions create ci --url https://ci.example.com/hooks/registry',
    exitCode: exitCodes.usage,
  });
}

function describe({
  subscription,
  waiting,
  deadLetters,
}: {
  readonly subscription: Subscription;
  readonly waiting: readonly {
    repository: string;
    event: { time: string; type: string; subject?: string | undefined };
    failures: number;
    lastFailure?: string | undefined;
  }[];
  readonly deadLetters: number;
}): string {
  const { name, repositories, actions, format, sink } = subscription;
  return [
    `${name} hears of ${actions.join(', ')} in ${repositories.join(', ')}`,
    `sends ${format} to ${harmless(sinkText(sink))}`,
    `${deadLetters} given up`,
    '',
    table(
      ['WAITING IN', 'EVENT', 'OF', 'AGE', 'FAILED', 'LAST FAILURE'],
      waiting.map(({ repository, event, failures, lastFailure }) => [
        harmless(repository),
        event.type.split('.').at(-1),
        event.subject === undefined ? undefined : harmless(event.subject),
        ago(event.time),
        failures,
        lastFailure === undefined ? undefined : harmless(lastFailure),
      ]),
      'Nothing waits.',
    ),
  ].join('\n');
}
