import type { Command } from 'commander';
import { listTokenKeys, rotateTokenKeys, type TokenKeyView } from '../../../shared/api/routes/token-keys.ts';
import { ago, table } from '../../output.ts';
import { withSession } from '../../session.ts';

const tableOf = (keys: readonly TokenKeyView[]): string =>
  table(
    ['KEY', 'STATE', 'AGE'],
    keys.map(({ kid, state, madeAt }) => [kid, state, ago(madeAt)]),
    'No key was made.',
  );

export function addTokenKeys(registry: Command): void {
  const keys = registry.command('token-keys').description("keys that sign the registry's tokens");
  keys
    .command('list', { isDefault: true })
    .description('the keys that tokens may be signed with, without the keys themselves')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { keys: found } = await client.call(listTokenKeys);
        output.data(found, () => tableOf(found));
      }),
    );
  keys
    .command('rotate')
    .description('makes a key that signs from now on, as happens every 30 days by itself')
    .option('--revoke', 'removes all others: their tokens are refused after a minute', false)
    .action((options: { revoke: boolean }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { keys: found } = await client.call(rotateTokenKeys, { json: { revoke: options.revoke } });
        output.data(found, () => tableOf(found));
        output.say(
          options.revoke
            ? 'All tokens that were given so far are refused after a minute; clients ask for others by themselves.'
            : 'It signs as soon as every instance knows it, in five minutes.',
        );
      }),
    );
}
