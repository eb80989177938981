import type { EngineOf } from '../../../shared/docker/engine.ts';
import { type LogSource, partFolder } from '../../../shared/logs/log-source.ts';
import type { LiveSource, LogSelection } from '../../../shared/logs/read-logs.ts';
import type { Run } from '../../../shared/model/job.ts';
import type { ApplicationName, EnvironmentName, ServiceName } from '../../../shared/model/names.ts';
import { containerName, type Replica } from '../../../shared/model/service.ts';
import { sidecarName } from '../../../shared/workloads/sidecars.ts';
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
      isWanted(/\.r\d+\.(\d+\.g\d+)(\..+)?$/.exec(container)?.[1] ?? container),
    async live() {
      const services = (await servicesIn(stores, environment, application)).filter(
        ({ key }) => service === undefined || key.service === service,
      );
      const lists = await Promise.all(
        services.map(async ({ key, accepted }) => {
          const beside = Object.keys(accepted?.spec.sidecars ?? {});
          const rows = await replicasOf(stores, key);
          const wanted = rows.filter((row) => isWanted(replicaView(row).name));
          return await Promise.all(wanted.map((row) => liveSources(row, beside, engineOf)));
        }),
      );
      return lists.flat(2);
    },
    watch,
  };
}

/** The container of a replica, and those of its sidecars. */
async function liveSources(
  row: Replica,
  beside: readonly string[],
  engineOf: EngineOf,
): Promise<readonly LiveSource[]> {
  const { key, machine, address, containerId, status } = row;
  if (containerId === undefined || status.state === 'lost') return [];
  const label = `${key.application}/${key.service}/${replicaView(row).name}`;
  const engine = () => engineOf({ name: machine, address });
  const sidecars = await Promise.all(
    beside.map(async (name): Promise<readonly LiveSource[]> => {
      // Of a machine that does not answer the replica's own log says so.
      const found = await engine()
        .then((one) => one.inspect(sidecarName(containerName(row), name)))
        .catch(() => undefined);
      return found === undefined
        ? []
        : [{ label: `${label}.${name}`, machine, containerId: found.id, engine }];
    }),
  );
  return [{ label, machine, containerId, engine }, ...sidecars.flat()];
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
