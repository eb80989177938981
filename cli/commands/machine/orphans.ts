import type { Command } from 'commander';
import { listOrphans, type OrphanView, removeAllOrphans } from '../../../shared/api/routes/orphans.ts';
import { ago, harmless, table } from '../../output.ts';
import { withSession } from '../../session.ts';

const columns = ['KIND', 'NAME', 'MACHINE', 'AGE', 'COST', 'WHY'];

export function addOrphans(machine: Command): void {
  machine
    .command('orphans')
    .description('what interrupted runs left in Azure: resources of Berth that belong to no machine')
    .option('--remove', 'remove them now; a sweep does so every minute')
    .action((options: { remove?: boolean }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { orphans } = await client.call(options.remove === true ? removeAllOrphans : listOrphans);
        output.data(orphans, () => {
          const rows = orphans.map((orphan) => rowOf(orphan, options.remove === true));
          return table(columns, rows, 'Nothing is left over.');
        });
      }),
    );
}

const rowOf = ({ kind, name, machine, createdAt, reason, spared, hourly }: OrphanView, removing: boolean) => [
  kind,
  harmless(name),
  machine === '' ? undefined : harmless(machine),
  ago(createdAt),
  hourly === undefined ? undefined : hourly === 0 ? 'nothing' : `$${hourly.toFixed(4)}/h`,
  `${harmless(reason)}${spared ? '; younger than 3 minutes: stays for now' : removing ? '; is being removed' : ''}`,
];
