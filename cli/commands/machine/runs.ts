import type { Command } from 'commander';
import { listMachineRuns } from '../../../shared/api/routes/machine-runs.ts';
import type { MachineRun } from '../../../shared/model/machine-run.ts';
import { ago, harmless, type Paint, table } from '../../output.ts';
import { withSession } from '../../session.ts';
import { wholeNumber } from '../../whole-number.ts';

export function addRuns(machine: Command): void {
  machine
    .command('runs')
    .description('commands that were run on machines in the last 30 days, the newest first')
    .argument('[machine]', 'only of this machine')
    .option('-n, --limit <count>', 'how many', wholeNumber, 20)
    .action((name: string | undefined, { limit }: { limit: number }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { runs } = await client.call(listMachineRuns, { query: { machine: name, limit } });
        output.data(runs, () =>
          table(
            ['RUN', 'AGE', 'BY', 'STATE', 'COMMAND'],
            runs.map((run) => [
              run.id,
              ago(run.createdAt),
              run.by,
              stateOf(run, output.paint),
              harmless(run.what.split('\n')[0] ?? ''),
            ]),
            'Nothing was run yet: berth machine run <machine> -- uptime',
          ),
        );
      }),
    );
}

function stateOf({ status }: MachineRun, paint: Paint): string {
  if (status.state === 'succeeded') return paint('green', 'succeeded');
  if (status.state === 'failed')
    return paint('red', status.exitCode === undefined ? 'failed' : `failed (${status.exitCode})`);
  return paint(status.state === 'timed-out' ? 'red' : 'yellow', status.state);
}
