import type { Command } from 'commander';
import { changeAllowFrom } from '../../../shared/api/routes/by-hand.ts';
import { withMachines } from '../../machine/machine-session.ts';
import { watchOperation } from '../../machine/watch-operation.ts';

const several = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...value.split(',').filter((part) => part !== ''),
];

export function addAllowFrom(machine: Command): void {
  machine
    .command('allow-from')
    .description('changes from where a machine is reached, and at which ports')
    .argument('<machine>')
    .argument('[cidrs...]', 'addresses and ranges; your own address if none is said')
    .option('--open-port <port>', 'the ports besides 2376 and 22; as before if not said', several)
    .action((name: string, cidrs: string[], options: { openPort?: readonly string[] }, command: Command) =>
      withMachines(command, async (session) => {
        const { operation } = await session.client.call(changeAllowFrom, {
          params: { machine: name },
          json: {
            ...(cidrs.length === 0 ? {} : { allowFrom: cidrs }),
            ...(options.openPort === undefined ? {} : { openPorts: options.openPort }),
          },
        });
        await watchOperation(session, operation);
        const { hand } = await session.find(name);
        session.output.data(
          { machine: name, allowFrom: hand?.allowFrom, openPorts: hand?.openPorts },
          () =>
            `${name} is reached from ${hand?.allowFrom.join(', ')} at ${['2376', '22', ...(hand?.openPorts ?? [])].join(', ')}`,
        );
      }),
    );
}
