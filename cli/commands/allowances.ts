import { type Command, InvalidArgumentError } from 'commander';
import { getAllowances, putAllowances } from '../../shared/api/routes/allowances.ts';
import type { Allowances } from '../../shared/model/allowances.ts';
import type { Output } from '../output.ts';
import { withSession } from '../session.ts';

interface Options {
  readonly privileged?: boolean;
  readonly capability?: readonly string[];
  readonly hostPath?: Allowances['hostPaths'];
}

/** `/srv/data` may be read, `/srv/data:rw` written too. */
function hostPath(text: string, before: Allowances['hostPaths'] = []): Allowances['hostPaths'] {
  const [path = '', access, ...more] = text.split(':');
  if (more.length > 0 || !['ro', 'rw', undefined].includes(access) || !path.startsWith('/'))
    throw new InvalidArgumentError('expected /path, or /path:rw where it may be written.');
  return [...before, { path, writable: access === 'rw' }];
}

const show = (output: Output, environment: string, allowances: Allowances): void =>
  output.data(allowances, () =>
    [
      `environment ${environment}`,
      `  privileged    ${allowances.privileged ? 'yes' : 'no'}`,
      `  capabilities  ${allowances.capabilities.join(', ') || 'none beyond the usual'}`,
      `  host paths    ${allowances.hostPaths.map(({ path, writable }) => `${path}${writable ? ':rw' : ''}`).join(', ') || 'none'}`,
    ].join('\n'),
  );

export function addAllowances(program: Command): void {
  const allowances = program
    .command('allowances')
    .description('what containers of an environment may beyond their own');
  allowances
    .command('show', { isDefault: true })
    .description('what is allowed')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output, environment }) =>
        show(output, environment, await client.call(getAllowances, { params: { environment } })),
      ),
    );
  allowances
    .command('set')
    .description('allows what the options say, and nothing else')
    .option('--privileged', 'containers that are root on their machine')
    .option('--capability <name...>', 'capabilities beyond those that every container may add: NET_ADMIN')
    .option(
      '--host-path <path>',
      'a folder of machines, with :rw where it may be written; may be repeated',
      hostPath,
    )
    .action((options: Options, command: Command) =>
      withSession(command, async ({ client, output, environment }) => {
        const json = {
          privileged: options.privileged === true,
          capabilities: options.capability ?? [],
          hostPaths: options.hostPath ?? [],
        };
        show(output, environment, await client.call(putAllowances, { params: { environment }, json }));
      }),
    );
}
