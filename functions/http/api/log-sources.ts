import type { EngineOf } from '../../../shared/docker/engine.ts';
import { type LogSource, partFolder } from '../../../shared/logs/log-source.ts';
import type { LiveSource, LogSelection } from '../../../shared/logs/read-logs.ts';
import type { Run } from '../../../shared/model/job.ts';
import type { ApplicationName, EnvironmentName, ServiceName } from '../../../shared/model/names.ts';
import type { Replica } from '../../../shared/model/service.ts';
import { all } from '../../../shared/workloads/stores.ts';
import type { Services } from '../../services.ts';
import { replicasOf, replicaView, servicesIn } from './service-views.ts';

type Sources = Pick<Services, 'stores' | 'engineOf'>;

/** Logs of services: those of a replica if one is named, by its slot or its slot and generation. */
export function serviceLogs(
  { stores, engineOf }: Sources,
  wanted: {
    readonly environment: EnvironmentName;
    readonly application?: ApplicationName | undefined;
    readonly service?: ServiceName | undefined;
    readonly replica?: string | undefined;
  },
  watch: boolean,
): LogSelection {
  const { environment, application, service, replica } = wanted;
  const isWanted = (name: string) =>
    replica === undefined || name === replica || name.split('.')[0] === replica;
  return {
    folder: partFolder({
      environment,
      kind: 'service',
      ...(application && { application }),
      ...(service && { part: service }),
    }),
    isWanted: ({ container }: LogSource) =>
      isWanted(/\.r\d+\.(\d+\.g\d+)$/.exec(container)?.[1] ?? container),
    async live() {
      const services = await servicesIn(stores, environment, application);
      const rows = await Promise.all(
        services
          .filter(({ key }) => service === undefined || key.service === service)
          .map(({ key }) => replicasOf(stores, key)),
      );
      return rows.flat().flatMap((row) => {
        const { name, key } = replicaView(row);
        const there = isWanted(name) ? liveReplica(row, engineOf) : undefined;
        return there === undefined ? [] : [{ ...there, label: `${key.application}/${key.service}/${name}` }];
      });
    },
    watch,
  };
}

function liveReplica(
  { machine, address, containerId, status }: Replica,
  engineOf: EngineOf,
): Omit<LiveSource, 'label'> | undefined {
  if (containerId === undefined || status.state === 'lost') return undefined;
  return { machine, containerId, engine: () => engineOf({ name: machine, address }) };
}

/** Logs of a run, all its attempts. */
export function runLogs({ stores, engineOf }: Sources, { id, key, machine }: Run): LogSelection {
  return {
    folder: partFolder({
      environment: key.environment,
      kind: 'run',
      application: key.application,
      part: key.job,
    }),
    isWanted: ({ container }) => container.startsWith(`${id}.a`),
    async live() {
      if (machine === undefined) return [];
      const machines = await all(stores.machines.list({ from: machine, to: `${machine}!` }));
      const address = machines[0]?.address;
      if (address === undefined) return [];
      const engine = await engineOf({ name: machine, address });
      const found = await engine.list([`berth.run=${id}`]).catch(() => []);
      return found.map((container) => ({
        label: container.name,
        machine,
        containerId: container.id,
        engine: async () => engine,
      }));
    },
    watch: false,
  };
}
