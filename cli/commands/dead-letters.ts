import type { Command } from 'commander';
import { listDeadLetters, replayDeadLetters } from '../../shared/api/routes/dead-letters.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { ago, harmless, table } from '../output.ts';
import { withSession } from '../session.ts';

export function addDeadLetters(events: Command): void {
  const letters = events.command('deadletter').description('queue messages that could not be carried out');
  letters
    .command('list', { isDefault: true })
    .description('each with its reason')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { deadLetters } = await client.call(listDeadLetters);
        output.data(deadLetters, () =>
          table(
            ['ID', 'QUEUE', 'MESSAGE', 'AGE', 'TRIES', 'REASON', 'DESCRIPTION'],
            deadLetters.map((letter) => [
              letter.id,
              letter.queue,
              harmless(letter.messageId),
              ago(letter.enqueuedAt),
              letter.deliveries,
              harmless(letter.reason),
              harmless(letter.description),
            ]),
            'Nothing is dead-lettered.',
          ),
        );
      }),
    );
  letters
    .command('replay')
    .description('sends messages to their queue again')
    .argument('[ids...]', 'as the list names them')
    .option('--all', 'each that is there')
    .action((ids: string[], options: { all?: boolean }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        if ((ids.length === 0) === (options.all !== true))
          throw new Failure({
            code: 'messages-not-named',
            message: 'Name the messages to replay, or all of them with --all.',
            remedy: 'List them: berth events deadletter list',
            exitCode: exitCodes.usage,
          });
        const { replayed } = await client.call(replayDeadLetters, {
          json: { ids: options.all === true ? 'all' : ids },
        });
        output.data({ replayed }, () => `${replayed} sent again`);
        if (options.all !== true && replayed < ids.length)
          throw new Failure({
            code: 'messages-not-found',
            message: `${ids.length - replayed} of ${ids.length} messages are not dead-lettered.`,
            remedy: 'List them: berth events deadletter list',
            exitCode: exitCodes.notFound,
          });
      }),
    );
}
