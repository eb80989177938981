import type { Command } from 'commander';
import {
  cancelMachineRuns,
  getMachineRuns,
  startMachineRuns,
} from '../../../shared/api/routes/machine-runs.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { duration } from '../../machine/duration.ts';
import { followRuns } from '../../machine/follow-run.ts';
import { type RunOptions, runRequest, splitWords } from '../../machine/run-request.ts';
import { withSession } from '../../session.ts';

interface Options extends RunOptions {
  readonly detach?: boolean;
  readonly log?: string;
  readonly cancel?: string;
}

const several = (value: string, before: readonly string[] | undefined) => [...(before ?? []), value];

export function addRun(machine: Command): void {
  machine
    .command('run')
    .description('runs a command or script on machines as root, shows its output and ends with its exit code')
    .usage('[options] <machine...> -- <command...>')
    .argument('[words...]', 'machines; after --, a program and its arguments, or one line for the shell')
    .option(
      '--script <file>',
      'a script instead of a command: bash, or PowerShell on Windows; - for standard input',
    )
    .option('--settings <file>', 'settings of the CustomScript extension, as they are')
    .option('--protected-settings <file>', 'its protected settings')
    .option('-p, --parameter <name=value>', 'variable of the script; repeatable', several)
    .option(
      '--protected-parameter <name[=value]>',
      'one that is kept nowhere; without a value it is taken from the environment; repeatable',
      several,
    )
    .option('--pool <pool>', 'on all ready machines of a pool')
    .option('--label <name=value>', 'on all ready machines with this label; repeatable', several)
    .option('--timeout <time>', 'ends it after this time: 90s, 10m, 1h30m; 90m if left out', duration)
    .option(
      '--as-user <user>',
      'as another user than root; on Windows with the password in BERTH_RUN_PASSWORD',
    )
    .option('-d, --detach', 'does not wait: prints the id')
    .option('--log <id>', 'shows a run again, or goes on watching it')
    .option('--cancel <id>', 'ends a run')
    .action((words: string[], options: Options, command: Command) =>
      withSession(command, async (session) => {
        const { client, output } = session;
        if (options.cancel !== undefined) {
          const { runs } = await client.call(cancelMachineRuns, { params: { run: options.cancel } });
          output.data(runs, () => runs.map(({ id, status }) => `${id}  ${status.state}`).join('\n'));
          return;
        }
        if (options.log !== undefined) {
          const { runs } = await client.call(getMachineRuns, { params: { run: options.log } });
          process.exitCode = await followRuns(session, runs);
          return;
        }
        const split = splitWords(words, process.argv);
        const json = runRequest(split.machines, split.command, options, process.env);
        const { batch, runs } = await client.call(startMachineRuns, { json });
        if (options.detach === true)
          return output.data({ batch, runs }, () => runs.map(({ id }) => id).join('\n'));
        if (runs.length === 0)
          throw new Failure({ code: 'nothing-run', message: 'Nothing was run.', exitCode: exitCodes.failed });
        process.exitCode = await followRuns(session, runs);
      }),
    );
}
