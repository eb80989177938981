import type { Command } from 'commander';
import { getMachine } from '../../../shared/api/routes/machines.ts';
import { withSession } from '../../session.ts';

export function addInspect(machine: Command): void {
  machine
    .command('inspect')
    .description('all that is known of a machine, and the replicas on it')
    .argument('<machine>')
    .action((name: string, _options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const found = await client.call(getMachine, { params: { machine: name } });
        output.data(found, () => JSON.stringify(found, undefined, 2));
      }),
    );
}
