import type { Command } from 'commander';
import { type AccessView, deleteAccess, listAccess, putAccess } from '../../shared/api/routes/access.ts';
import { grantText, type RepositoryGrant } from '../../shared/auth/repository-grant.ts';
import { grants } from '../grants.ts';
import { ago, harmless, table } from '../output.ts';
import { withSession } from '../session.ts';

interface SetOptions {
  readonly description: string;
  readonly repositories?: readonly RepositoryGrant[];
}

const SUBJECT = 'principal:<object id>, group:<object id> or role:<app role>';

const tableOf = (assignments: readonly AccessView[]): string =>
  table(
    ['SUBJECT', 'ROLE', 'REPOSITORIES', 'AGE', 'DESCRIPTION'],
    assignments.map(({ subject, role, repositories, assignedAt, description }) => [
      subject,
      role,
      repositories?.map(grantText).join(' '),
      ago(assignedAt),
      harmless(description),
    ]),
    'Nobody of the tenant may do anything; API keys are in berth keys.',
  );

export function addAccess(program: Command): void {
  const access = program
    .command('access')
    .description('what principals, groups and app roles of the Microsoft Entra tenant may do');
  access
    .command('list', { isDefault: true })
    .description('who may do what')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { assignments } = await client.call(listAccess);
        output.data(assignments, () => tableOf(assignments));
      }),
    );
  access
    .command('set')
    .description('says what one of them may do, in place of what was said before')
    .argument('<subject>', SUBJECT)
    .argument('[role]', 'reader, deployer, operator or admin; without it, the registry alone')
    .option(
      '--repositories <pattern=actions>',
      'what it may do in the registry, in place of what the role gives: team/**=pull,push (of pull, push, delete, admin); may be repeated',
      grants,
    )
    .option('--description <text>', 'who it is', '')
    .action((subject: string, role: string | undefined, options: SetOptions, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { repositories, description } = options;
        const assignment = await client.call(putAccess, {
          params: { subject },
          json: {
            ...(role === undefined ? {} : { role }),
            ...(repositories === undefined ? {} : { repositories }),
            description,
          },
        });
        output.data(assignment, () => tableOf([assignment]));
        output.say('It holds everywhere in three seconds.');
      }),
    );
  access
    .command('remove')
    .description('takes away what one of them was given')
    .argument('<subject>', SUBJECT)
    .action((subject: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        await client.call(deleteAccess, { params: { subject } });
        output.say(
          `${subject} has nothing of its own any more. A token of the registry that it holds lives for five minutes.`,
        );
      }),
    );
}
