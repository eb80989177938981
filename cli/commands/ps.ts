import type { Command } from 'commander';
import { listReplicas, listServices, type ReplicaView } from '../../shared/api/routes/services.ts';
import { requireApplication } from '../known-application.ts';
import { ago, harmless, table } from '../output.ts';
import { waitsText } from '../service-table.ts';
import { withSession } from '../session.ts';

const idOf = ({ application, service }: ReplicaView['key']): string => `${application}/${service}`;

export const addPs = (program: Command): Command =>
  program
    .command('ps')
    .description('replicas, where they run and their addresses')
    .argument('[application]', 'only of this application')
    .action((application: string | undefined, _options, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment } = session;
        const of = { params: { environment }, query: { application } };
        const [{ replicas }, { services }] = await Promise.all([
          client.call(listReplicas, of),
          client.call(listServices, of),
        ]);
        if (services.length === 0 && replicas.length === 0) await requireApplication(session, application);
        const waits = waitsText(services);
        // After a failed rollout the replicas of the revision before are those that stay.
        const templates = new Map(
          services.flatMap(({ key, template, rollout }) =>
            rollout.state === 'failed' ? [] : [[idOf(key), template] as const],
          ),
        );
        const isStale = (key: ReplicaView['key'], revision: number): boolean =>
          (templates.get(idOf(key)) ?? revision) !== revision;
        const replicaTable = () =>
          table(
            ['SERVICE', 'REPLICA', 'REVISION', 'MACHINE', 'ADDRESS', 'STATE', 'SINCE', 'RESTARTS'],
            replicas.map(
              ({ key, name, revision, machine, address, port, status, failures, staleSecrets }) => [
                `${key.application}/${key.service}`,
                name,
                isStale(key, revision) ? output.paint('yellow', `${revision} (old)`) : revision,
                machine,
                port === undefined ? address : `${address}:${port}`,
                output.paint(
                  status.state === 'healthy'
                    ? 'green'
                    : status.state === 'exited' || status.state === 'lost'
                      ? 'red'
                      : 'yellow',
                  harmless(
                    status.state === 'exited'
                      ? `exited (${status.exitCode})`
                      : status.state === 'unhealthy'
                        ? `unhealthy: ${status.reason}`
                        : status.state,
                  ),
                ) +
                  (staleSecrets === undefined
                    ? ''
                    : output.paint('yellow', `, old ${staleSecrets.join(', ')}`)),
                ago('since' in status ? status.since : 'at' in status ? status.at : undefined),
                failures,
              ],
            ),
            `No replica runs in environment ${environment}.`,
          );
        output.data(replicas, () => (waits === '' ? replicaTable() : `${replicaTable()}\n\n${waits}`));
      }),
    );
