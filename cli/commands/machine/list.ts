import type { Command } from 'commander';
import { listMachines } from '../../../shared/api/routes/machines.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { ago, harmless, type Paint, table } from '../../output.ts';
import { withSession } from '../../session.ts';

const stateOf = ({ status }: Machine, paint: Paint): string => {
  if (status.state === 'failed') return paint('red', `failed: ${harmless(status.reason)}`);
  return paint(
    status.state === 'ready' ? 'green' : status.state === 'silent' ? 'red' : 'yellow',
    status.state,
  );
};

const columns = ['MACHINE', 'POOL', 'SIZE', 'ADDRESS', 'CPU', 'MEMORY', 'HEARD', 'STATE'];
const rowOf = (machine: Machine, paint: Paint) => [
  machine.name,
  machine.pool,
  machine.size,
  machine.address,
  machine.cpu,
  `${machine.memory} MiB`,
  ago(machine.heardAt),
  stateOf(machine, paint),
];

export function addList(machine: Command): void {
  machine
    .command('ls', { isDefault: true })
    .alias('list')
    .description('machines made by hand and of all pools')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { machines: found } = await client.call(listMachines);
        output.data(found, () =>
          table(
            columns,
            found.map((each) => rowOf(each, output.paint)),
            'There is no machine; the first container that needs one brings it.',
          ),
        );
      }),
    );
}
