import type { Command } from 'commander';
import { listServices } from '../../shared/api/routes/services.ts';
import { getStatus } from '../../shared/api/routes/status.ts';
import { harmless } from '../output.ts';
import { refusalText, serviceTable, waitsText } from '../service-table.ts';
import { withSession } from '../session.ts';

const counts = (byState: Readonly<Record<string, number>>): string =>
  Object.entries(byState)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ') || 'none';

export const addStatus = (program: Command): Command =>
  program
    .command('status')
    .description('what there is and how it goes')
    .action((_options, command: Command) =>
      withSession(command, async ({ client, output, environment }) => {
        const [status, { services }] = await Promise.all([
          client.call(getStatus),
          client.call(listServices, { params: { environment } }),
        ]);
        output.data({ ...status, environment, environmentServices: services }, () =>
          [
            `Berth ${status.version} at ${client.connection.url.origin}, as ${status.caller.id} (${status.caller.roles.join(', ')})`,
            `registry  ${status.registry}`,
            `machines  ${counts(status.machines.byState)}`,
            ...status.restingPools.map(
              ({ pool, reason }) => `pool      ${pool} gets no machine: ${harmless(reason)}`,
            ),
            `replicas  ${counts(status.replicas.byState)} (${status.replicas.wanted} wanted)`,
            '',
            serviceTable(services, output.paint, environment),
            ...[waitsText(services)].filter((text) => text !== '').map((text) => `\n${text}`),
            ...services
              .filter(({ refused }) => refused !== undefined)
              .map((service) => `\n${refusalText(service)}`),
          ].join('\n'),
        );
      }),
    );
