import type { Command } from 'commander';
import { listMachines } from '../../../shared/api/routes/machines.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { activeMachine } from '../../machine/active-machine.ts';
import { withMachines } from '../../machine/machine-session.ts';

export function addActive(machine: Command): void {
  machine
    .command('active')
    .description('the machine that your docker works with now')
    .action((_options, command: Command) =>
      withMachines(command, async ({ client, output, variables, docker }) => {
        const { machines } = await client.call(listMachines);
        const found = activeMachine(machines, variables, docker, client.connection.url.origin);
        if (found === undefined)
          throw new Failure({
            code: 'no-active-machine',
            message:
              'Your docker works with none of these machines: neither DOCKER_HOST nor its context names one.',
            remedy:
              'docker context use berth-NAME, or eval "$(berth machine env NAME)"; berth machine ls shows them.',
            exitCode: exitCodes.failed,
          });
        output.data(found.name, () => found.name);
      }),
    );
}
