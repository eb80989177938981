import { type Command, Option } from 'commander';
import { listMachines } from '../../../shared/api/routes/machines.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { activeMachine } from '../../machine/active-machine.ts';
import { machineFilter } from '../../machine/filter.ts';
import { withMachines } from '../../machine/machine-session.ts';
import { ago, harmless, type Paint, table } from '../../output.ts';

interface Options {
  readonly filter?: readonly string[];
  readonly quiet?: boolean;
  readonly format?: 'table' | 'json';
}

const columns = [
  'MACHINE',
  'ACTIVE',
  'POOL',
  'SIZE',
  'ADDRESS',
  'CPU',
  'MEMORY',
  'COST',
  'NETWORK',
  'HEARD',
  'STATE',
];

export function addList(machine: Command): void {
  machine
    .command('ls', { isDefault: true })
    .alias('list')
    .description('machines made by hand and of all pools')
    .option(
      '--filter <key=value>',
      'only those: name (with *), state, pool, size, zone, priority, label; repeatable',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .option('-q, --quiet', 'names alone')
    .addOption(new Option('--format <format>', 'as --json').choices(['table', 'json']))
    .action((options: Options, command: Command) =>
      withMachines(command, async ({ client, output, variables, docker }) => {
        const fits = machineFilter(options.filter ?? []);
        const { machines } = await client.call(listMachines);
        const found = machines.filter(fits);
        if (options.quiet === true) {
          for (const { name } of found) output.piece(name, `${name}\n`);
          return;
        }
        if (options.format === 'json' && !output.json) {
          process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
          return;
        }
        output.data(found, () => {
          const active = activeMachine(found, variables, docker, client.connection.url.origin);
          return table(
            columns,
            found.map((each) => rowOf(each, each === active, output.paint)),
            machines.length > 0
              ? `None of ${machines.length} machines is such a one.`
              : 'There is no machine; the first container that needs one brings it, and berth machine create NAME makes one.',
          );
        });
      }),
    );
}

const rowOf = (machine: Machine, isActive: boolean, paint: Paint) => [
  machine.name,
  isActive ? '*' : '-',
  machine.pool,
  machine.priority === 'spot' ? `${machine.size} spot` : machine.size,
  machine.publicAddress ?? machine.address,
  machine.cpu,
  `${machine.memory} MiB`,
  machine.hourly === undefined ? undefined : `$${machine.hourly.toFixed(4)}/h`,
  encryptionOf(machine),
  ago(machine.heardAt),
  stateOf(machine, paint),
];

/** How what its containers say to those of other machines is encrypted; undefined: they have no part in the network. */
function encryptionOf({ network }: Machine): string | undefined {
  switch (network?.means) {
    case undefined:
      return undefined;
    case 'kernel':
      return 'wireguard (kernel)';
    case 'wireguard-go':
      return 'wireguard-go';
    case 'none':
      return 'alone: no wireguard';
  }
}

function stateOf({ status, cordon, due }: Machine, paint: Paint): string {
  // The end of its console follows in the reason: `inspect` and `console` show it.
  if (status.state === 'failed')
    return paint('red', `failed: ${harmless(status.reason.replace(/\. Its console ends:\n.*$/s, ''))}`);
  const colour = status.state === 'ready' ? 'green' : status.state === 'silent' ? 'red' : 'yellow';
  const state = paint(colour, status.state);
  if (cordon !== undefined) return `${state}, ${paint('yellow', cordonText(cordon))}`;
  return due === undefined ? state : `${state}, ${paint('yellow', 'to be replaced')}`;
}

function cordonText({ drain, drainedAt, waits }: NonNullable<Machine['cordon']>): string {
  if (!drain) return 'cordoned';
  if (drainedAt !== undefined) return 'drained';
  return waits === undefined ? 'draining' : `draining: ${harmless(waits)}`;
}
