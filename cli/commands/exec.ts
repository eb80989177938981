import { type Command, InvalidArgumentError } from 'commander';
import { execInService } from '../../shared/api/routes/sessions.ts';
import { serviceNamed } from '../service-name.ts';
import { withSession } from '../session.ts';
import { interact, requireTerminal } from '../session-io/interact.ts';
import { newSessionId } from '../session-io/session-client.ts';

interface Options {
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workdir?: string;
}

const variable = (text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

export const addExec = (program: Command): Command =>
  program
    .command('exec')
    .description('runs a command in the container of a replica, and ends with its exit code')
    .usage('[options] <service> -- <command...>')
    .argument('<service>', 'service, application/service or application/service/replica')
    .argument('<command...>', 'after --: a program and its arguments')
    .option('-i, --interactive', 'passes this input on')
    .option('-t, --tty', 'with a terminal')
    .option('--env <name=value>', 'variable for the command; repeatable', variable)
    .option('-u, --user <user>', 'as this user, by name or number')
    .option('-w, --workdir <path>', 'in this folder')
    .action((name: string, words: string[], options: Options, command: Command) =>
      withSession(command, async (session) => {
        const tty = options.tty === true;
        const stdin = options.interactive === true;
        if (tty) requireTerminal();
        const { params, replica } = await serviceNamed(session, name);
        const id = newSessionId();
        const { rows, columns } = process.stdout;
        await session.client.call(execInService, {
          params,
          json: {
            session: id,
            replica,
            command: words,
            tty,
            stdin,
            environment: { ...(tty && process.env.TERM ? { TERM: process.env.TERM } : {}), ...options.env },
            user: options.user,
            workingDirectory: options.workdir,
            ...(tty && rows > 0 && columns > 0 ? { size: { rows, columns } } : {}),
          },
        });
        process.exitCode = await interact(session, id, { stdin, tty });
      }),
    );
