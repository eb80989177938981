import type { Command } from 'commander';
import { createKey, deleteKey, listKeys } from '../../shared/api/routes/keys.ts';
import { ago, harmless, table } from '../output.ts';
import { withSession } from '../session.ts';
import { parseSince } from '../since.ts';

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('API keys');
  keys
    .command('list', { isDefault: true })
    .description('keys that were made, without the keys themselves')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { keys: found } = await client.call(listKeys);
        output.data(found, () =>
          table(
            ['KEY', 'ROLE', 'AGE', 'EXPIRES', 'DESCRIPTION'],
            found.map((key) => [
              key.id,
              key.role,
              ago(key.createdAt),
              key.expiresAt,
              harmless(key.description),
            ]),
            'No key was made.',
          ),
        );
      }),
    );
  keys
    .command('create')
    .description('makes a key and shows it, this once')
    .argument('<role>', 'reader, deployer, operator or admin')
    .option('--description <text>', 'what it is for', '')
    .option('--expires <time>', 'RFC 3339', parseSince)
    .action((role: string, options: { description: string; expires?: string }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const made = await client.call(createKey, {
          json: {
            role,
            description: options.description,
            ...(options.expires === undefined ? {} : { expiresAt: new Date(options.expires).toISOString() }),
          },
        });
        output.data(made, () => made.text);
        output.say(`Key ${made.key.id} with the role ${role}. It cannot be shown again.`);
      }),
    );
  keys
    .command('revoke')
    .description('ends a key at once')
    .argument('<id>')
    .action((key: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        await client.call(deleteKey, { params: { key } });
        output.say(`Key ${key} is revoked.`);
      }),
    );
}
