import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { DataCentre, MachineKind } from '../data-centre.ts';
import type { HostEngine } from '../machine-runtime/engine.ts';
import { ensurePlatformCa } from '../platform-ca/authority.ts';
import { issueServerCertificate } from '../platform-ca/server-certificate.ts';
import { appEnvironment } from './app-environment.ts';
import { deployStorage } from './deploy-storage.ts';
import { filesOf } from './files.ts';
import { ensureKeys, type Keys } from './keys.ts';
import { endLeftovers, recordProcesses, takeLock } from './leftover-processes.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { Progress } from './progress.ts';
import { stopMachines } from './stop-machines.ts';
import { type ProcessSpec, type SupervisedProcess, superviseProcess } from './supervised-process.ts';

export interface StartOptions {
  /** Absolute: where the data centre keeps everything. */
  readonly directory: string;
  /** Absolute: where machine images' archives are kept. */
  readonly cache: string;
  /** Absolute: folder of the function app, with host.json and package.json. */
  readonly app: string;
  readonly dockerHost: string | undefined;
  /** What machines are; absent: as at earlier starts, at first containers. */
  readonly machines?: MachineKind | undefined;
  /** Other programs than the usual in these places, absolute: they take the same arguments, and say `ready`. */
  readonly programs?: Partial<Readonly<Record<'storage' | 'cloud', string>>>;
  readonly progress: Progress;
  /** Gives up, and stops what was started, when it is aborted. */
  readonly signal: AbortSignal;
}

export interface RunningDataCentre {
  readonly dataCentre: DataCentre;
  readonly engine: HostEngine;
  readonly keys: Keys;
  readonly processes: Readonly<Record<'storage' | 'cloud' | 'app', SupervisedProcess>>;
  /** Stops everything that was started; machines are stopped, and are there again at the next start. */
  stop(): Promise<void>;
}

const LOCAL = join(import.meta.dirname, '..');

/** Brings up the local data centre: engine, network, then storage, cloud and app under supervision. */
export async function startDataCentre(options: StartOptions): Promise<RunningDataCentre> {
  const { directory, progress } = options;
  const files = filesOf(directory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unlock = takeLock(files.lock);
  const started: SupervisedProcess[] = [];
  const stopProcesses = async (): Promise<void> => {
    for (const process of started.splice(0).reverse()) await process.stop();
    recordProcesses(files.processes, []);
  };
  let prepared: Prepared | undefined;
  try {
    await endLeftovers(files.processes);
    prepared = await progress.step('container engine and network', (note) =>
      prepare(directory, options.dockerHost, note, options.machines),
    );
    const { dataCentre, engine } = prepared;
    const ca = await ensurePlatformCa(files.ca);
    const certificate = await issueServerCertificate(
      ca,
      [dataCentre.gateway, '127.0.0.1', 'localhost'],
      files.host,
    );
    setDefaultCACertificates([...getCACertificates('default'), ca.certificatePem]);
    const keys = await ensureKeys(dataCentre, ca.certificateFile);

    const environment = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_EXTRA_CA_CERTS: ca.certificateFile,
      NODE_COMPILE_CACHE: join(options.cache, 'node'),
    };
    const { gateway, ports } = dataCentre;
    const specs: Readonly<
      Record<'storage' | 'cloud' | 'app', Pick<ProcessSpec, 'arguments' | 'environment'>>
    > = {
      storage: {
        arguments: [options.programs?.storage ?? join(LOCAL, 'storage/main.ts'), files.dataCentre],
        environment,
      },
      cloud: {
        arguments: [options.programs?.cloud ?? join(LOCAL, 'cloud/main.ts'), files.dataCentre, options.cache],
        environment,
      },
      app: {
        arguments: [join(LOCAL, 'functions-host/main.ts')],
        environment: {
          ...environment,
          ...appEnvironment(dataCentre, keys),
          BERTH_HOST_LISTEN: `${gateway}:${ports.app},127.0.0.1:${ports.app}`,
          BERTH_HOST_CERTIFICATE: certificate.certificateFile,
          BERTH_HOST_KEY: certificate.keyFile,
        },
      },
    };
    const record = (): void => {
      recordProcesses(
        files.processes,
        started.flatMap(({ name, pid }) => {
          const found = pid();
          return found === undefined
            ? []
            : [{ name, pid: found, file: `${name === 'app' ? 'functions-host' : name}/main.ts` }];
        }),
      );
    };
    const begin = (name: 'storage' | 'cloud' | 'app'): SupervisedProcess => {
      const made = superviseProcess(
        { name, ...specs[name], workingDirectory: options.app, log: join(files.logs, `${name}.log`) },
        progress.line,
        record,
      );
      started.push(made);
      record();
      return made;
    };
    const ready = (title: string, ...processes: readonly SupervisedProcess[]): Promise<unknown> =>
      progress.step(title, () =>
        orAborted(Promise.all(processes.map((process) => process.ready())), options.signal),
      );
    const [storage, cloud] = [begin('storage'), begin('cloud')];
    await ready('storage and cloud', storage, cloud);
    await deployStorage(dataCentre);
    const app = begin('app');
    await ready('app', app);
    prepared.settled();
    const processes = { storage, cloud, app };
    return {
      dataCentre,
      engine,
      keys,
      processes,
      async stop() {
        await stopProcesses();
        await stopMachines(engine, dataCentre);
        unlock();
      },
    };
  } catch (error) {
    await stopProcesses();
    prepared?.settled();
    if (prepared !== undefined) await stopMachines(prepared.engine, prepared.dataCentre);
    unlock();
    throw error;
  }
}

/** What was waited for, or the reason of the abort if that comes first. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
