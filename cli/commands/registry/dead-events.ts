import type { Command } from 'commander';
import { listDeadEvents, replayDeadEvents } from '../../../shared/api/routes/subscriptions.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { ago, harmless, table } from '../../output.ts';
import { withSession } from '../../session.ts';
import { wholeNumber } from '../../whole-number.ts';

export function addDeadEvents(subscriptions: Command): void {
  subscriptions
    .command('deadletters')
    .description('events that were given up, the oldest first, each with its reason')
    .argument('<name>')
    .option('-n, --limit <count>', 'how many', wholeNumber, 100)
    .action((subscription: string, { limit }: { limit: number }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { deadLetters } = await client.call(listDeadEvents, {
          params: { subscription },
          query: { limit },
        });
        output.data(deadLetters, () =>
          table(
            ['ID', 'REPOSITORY', 'EVENT', 'OF', 'AGE', 'TRIES', 'REASON', 'LAST FAILURE'],
            deadLetters.map(({ id, repository, event, attempts, reason, lastFailure }) => [
              id,
              harmless(repository),
              event.type.split('.').at(-1),
              event.subject === undefined ? undefined : harmless(event.subject),
              ago(event.time),
              attempts,
              reason,
              harmless(lastFailure),
            ]),
            'Nothing was given up.',
          ),
        );
      }),
    );
  subscriptions
    .command('replay')
    .description('puts events that were given up back into their queue, and delivers at once what waits')
    .argument('<name>')
    .argument('[ids...]', 'as deadletters names them; without any, only what waits is tried at once')
    .option('--all', 'each that was given up')
    .action((subscription: string, ids: string[], options: { all?: boolean }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        if (options.all === true && ids.length > 0)
          throw new Failure({
            code: 'events-named-twice',
            message: `--all puts back each that was given up; "${ids.join(' ')}" is one too many.`,
            remedy: `Name the events, or leave them out with --all: berth registry subscriptions replay ${subscription} --all`,
            exitCode: exitCodes.usage,
          });
        const { replayed } = await client.call(replayDeadEvents, {
          params: { subscription },
          json: { ids: options.all === true ? 'all' : ids },
        });
        output.data({ replayed }, () => `${replayed} put back`);
        if (options.all !== true && replayed < ids.length)
          throw new Failure({
            code: 'dead-letters-not-found',
            message: `${ids.length - replayed} of ${ids.length} are not dead letters of ${subscription}.`,
            remedy: `List them: berth registry subscriptions deadletters ${subscription}`,
            exitCode: exitCodes.notFound,
          });
      }),
    );
}
