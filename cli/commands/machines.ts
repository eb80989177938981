import type { Command } from 'commander';
import { getMachine, listMachines } from '../../shared/api/routes/machines.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { ago, harmless, type Paint, table } from '../output.ts';
import { withSession } from '../session.ts';

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

export function addMachines(program: Command): void {
  const machines = program.command('machines').description('virtual machines that carry the containers');
  machines
    .command('list', { isDefault: true })
    .description('machines of all pools')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { machines: found } = await client.call(listMachines);
        output.data(found, () =>
          table(
            columns,
            found.map((machine) => rowOf(machine, output.paint)),
            'There is no machine; the first container that needs one brings it.',
          ),
        );
      }),
    );
  machines
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
