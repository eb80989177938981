import { type Command, InvalidArgumentError } from 'commander';
import { createKey, deleteKey, listKeys } from '../../shared/api/routes/keys.ts';
import { grantText, type RepositoryGrant } from '../../shared/auth/repository-grant.ts';
import { grants } from '../grants.ts';
import { ago, harmless, table } from '../output.ts';
import { withSession } from '../session.ts';

interface CreateOptions {
  readonly description: string;
  readonly expires?: string;
  readonly repositories?: readonly RepositoryGrant[];
}

/** @throws InvalidArgumentError */
function timeToCome(text: string): string {
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (at > Date.now()) return new Date(at).toISOString();
  const example = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  throw new InvalidArgumentError(`Expected a time to come, such as ${example}T12:00:00Z.`);
}

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
            ['KEY', 'ROLE', 'REPOSITORIES', 'AGE', 'EXPIRES', 'DESCRIPTION'],
            found.map((key) => [
              key.id,
              key.role,
              key.repositories?.map(grantText).join(' '),
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
    .argument('[role]', 'reader, deployer, operator or admin; without it the key is for the registry alone')
    .option(
      '--repositories <pattern=actions>',
      'what it may do in the registry, in place of what the role gives: team/**=pull,push (of pull, push, delete, admin); may be repeated',
      grants,
    )
    .option('--description <text>', 'what it is for', '')
    .option('--expires <time>', 'when it ends, RFC 3339', timeToCome)
    .action((role: string | undefined, options: CreateOptions, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const made = await client.call(createKey, {
          json: {
            ...(role === undefined ? {} : { role }),
            ...(options.repositories === undefined ? {} : { repositories: options.repositories }),
            description: options.description,
            ...(options.expires === undefined ? {} : { expiresAt: options.expires }),
          },
        });
        output.data(made, () => made.text);
        const rights = [
          ...(role === undefined ? [] : [`the role ${role}`]),
          ...(options.repositories === undefined ? [] : [options.repositories.map(grantText).join(' ')]),
        ];
        output.say(`Key ${made.key.id} with ${rights.join(' and ')}. It cannot be shown again.`);
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
