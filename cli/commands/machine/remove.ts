import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { removeMachine } from '../../../shared/api/routes/by-hand.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { contextName, currentContext, removeContext } from '../../machine/docker-context.ts';
import { rememberHostKeys } from '../../machine/known-hosts.ts';
import { type MachineSession, withMachines } from '../../machine/machine-session.ts';
import { askAll } from '../../machine/power-verb.ts';

interface Options {
  readonly force?: boolean;
  readonly drain?: boolean;
  readonly yes?: boolean;
  readonly wait: boolean;
}

export function addRemove(machine: Command): void {
  machine
    .command('rm')
    .alias('remove')
    .description('removes machines with everything that was made for them')
    .argument('<machines...>')
    .option('-y, --yes', 'does not ask')
    .option('-f, --force', 'does not ask, and removes one that carries replicas, which are lost')
    .option('--drain', 'has its replicas start elsewhere first')
    .option('--no-wait', 'return when it was accepted')
    .action((names: string[], options: Options, command: Command) =>
      withMachines(command, async (session) => {
        if (options.yes !== true && options.force !== true) await confirm(session, names);
        const query = {
          ...(options.force === true ? { force: true } : {}),
          ...(options.drain === true ? { drain: true } : {}),
        };
        await askAll(
          session,
          names,
          options.wait,
          (name) => session.client.call(removeMachine, { params: { machine: name }, query }),
          ({ machine: begun }) => {
            forget(session, begun.name, begun.publicAddress ?? begun.address);
            session.output.piece(
              begun,
              `${begun.name} ${options.wait ? 'and all that was made for it is removed' : 'is being removed'}\n`,
            );
          },
        );
      }),
    );
}

/** Removes what this computer has of a machine that is gone. */
function forget(session: MachineSession, name: string, address: string | undefined): void {
  const { docker, folder, client, output } = session;
  const context = contextName(name);
  if (removeContext(docker, context, client.connection.url.origin) && currentContext(docker) === context)
    output.say(`Docker was set to use its context: docker context use default`);
  if (address !== undefined) rememberHostKeys(folder, address, []);
}

async function confirm({ interrupted }: MachineSession, names: readonly string[]): Promise<void> {
  const what = names.join(', ');
  if (process.stdin.isTTY !== true)
    throw new Failure({
      code: 'not-confirmed',
      message: `Removing ${what} loses what is on it, and there is no terminal on which to ask.`,
      remedy: `Say it: berth machine rm -y ${names.join(' ')}`,
      exitCode: exitCodes.usage,
    });
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking
      .question(`Remove ${what}, with the disk and all that is on it? [y/N] `, { signal: interrupted })
      .catch(() => '');
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    asking.close();
  }
  throw new Failure({
    code: 'not-confirmed',
    message: `Nothing was removed.`,
    exitCode: exitCodes.failed,
  });
}
