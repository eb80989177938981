import type { Command } from 'commander';
import { withMachines } from '../../machine/machine-session.ts';
import { notReached, runOnTerminal, sshOptions, sshTarget } from '../../machine/secure-shell.ts';

interface Options {
  readonly identity?: string;
  readonly localForward?: readonly string[];
  readonly agentForward?: boolean;
  readonly tty?: boolean;
}

export function addSsh(machine: Command): void {
  machine
    .command('ssh')
    .description('a shell on a machine, or a command there, whose exit code it ends with')
    .passThroughOptions()
    .argument('<machine>')
    .argument('[command...]', 'as ssh takes it: the words are joined and given to the shell there')
    .option('-i, --identity <file>', 'private key; those that the machine knows if not said')
    .option(
      '-L, --local-forward <forward>',
      'as of ssh: 8080:localhost:80; repeatable',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .option('-A, --agent-forward', 'lets the machine use your agent while you are there')
    .option('-t, --tty', 'a terminal for the command')
    .action((name: string, words: string[], options: Options, command: Command) =>
      withMachines(command, async (session) => {
        const target = await sshTarget(session, name);
        const code = await runOnTerminal('ssh', [
          ...sshOptions(target, session.folder, { identity: options.identity }),
          ...(options.localForward ?? []).flatMap((forward) => ['-L', forward]),
          ...(options.agentForward === true ? ['-A'] : []),
          ...(options.tty === true ? ['-t'] : []),
          ...['-l', target.user, '--', target.address],
          ...(words[0] === '--' ? words.slice(1) : words),
        ]);
        if (code === 255) throw notReached(name);
        process.exitCode = code;
      }),
    );
}
