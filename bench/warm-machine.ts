import { z } from 'zod';
import { appCredential } from '../infra/local/identity/app-credential.ts';
import { containerName } from '../infra/local/machine-runtime/machine-container.ts';
import { listMachines } from '../infra/local/machine-runtime/machine-containers.ts';
import { mainJob } from '../infra/local/supervisor/main-job.ts';
import { cacheOf } from '../infra/local/supervisor/prepare.ts';
import type { RunningDataCentre } from '../infra/local/supervisor/start-data-centre.ts';
import { clientIdentity } from '../shared/certificates/client-certificate.ts';
import { ensureEngineCa } from '../shared/certificates/engine-ca.ts';
import type { Engine } from '../shared/docker/engine.ts';
import { engines } from '../shared/docker/engines.ts';
import { Machine } from '../shared/model/machine.ts';
import { Secret } from '../shared/secrets/secret.ts';
import { blobSecrets } from '../shared/secrets/secrets.blobs.ts';
import { azureBlobs } from '../shared/state/blobs.azure.ts';
import { type EngineEvents, followEngine } from './engine-events.ts';
import { checkout, withDataCentre } from './own-data-centre.ts';
import type { Report } from './report.ts';

/** A data centre of its own, in which the example runs on one machine. */
export interface WarmMachine {
  readonly running: RunningDataCentre;
  /** The machine's engine as the app reaches it: the same client, the same mutual TLS. */
  readonly engine: Engine;
  readonly events: EngineEvents;
  /** The app's record of the machine. */
  readonly machine: Machine;
  /** Calls the app as the administrator. */
  call<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T>;
}

/** Brings a warm machine up, lets `work` use it, and removes everything, also after a failure or Ctrl-C. */
export const withWarmMachine = <T>(report: Report, work: (machine: WarmMachine) => Promise<T>): Promise<T> =>
  withDataCentre(report, {}, async (own) => {
    const { running, steps, signal, call } = own;
    await mainJob(running, { checkout, cache: cacheOf(checkout), progress: steps, signal });
    const place = await machineOf(running);
    const events = await followEngine(place.socket);
    own.finally(async () => events.close());
    const { machines } = await call(z.object({ machines: z.array(Machine) }), 'GET', '/api/v1/machines');
    const machine = machines.find(({ name }) => name === place.name);
    if (machine === undefined) throw new Error(`the app has no record of ${place.name}`);
    return await work({ running, engine: await engineOf(running, place), events, machine, call });
  });

interface Place {
  readonly name: string;
  readonly address: string;
  /** Of the machine's engine, as a path of this computer. */
  readonly socket: string;
}

const Inspected = z.object({
  State: z.object({ Pid: z.number().int().positive() }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.ipv4() })) }),
});

async function machineOf({ engine, dataCentre }: RunningDataCentre): Promise<Place> {
  const [name] = await listMachines(engine.api, dataCentre.id);
  if (name === undefined) throw new Error('the data centre has no machine');
  const path = `/containers/${containerName(dataCentre.id, name)}/json`;
  const { State, NetworkSettings } = await engine.api.json(Inspected, 'GET', path);
  const address = NetworkSettings.Networks[dataCentre.network]?.IPAddress;
  if (address === undefined) throw new Error(`machine ${name} has no address`);
  return { name, address, socket: `/proc/${State.Pid}/root/run/docker.sock` };
}

/** With a client certificate of the app's own authority, unsealed as the app does. */
async function engineOf({ dataCentre, keys }: RunningDataCentre, place: Place): Promise<Engine> {
  const { gateway, ports, storageAccount } = dataCentre;
  const uri = `https://${gateway}:${ports.blob}/${storageAccount}`;
  const secrets = blobSecrets(azureBlobs(uri, 'secrets', appCredential(dataCentre)), {
    current: new Secret(keys.master),
    previous: undefined,
  });
  const ca = await ensureEngineCa(secrets);
  const identity = clientIdentity(async () => ca, 'bench', 60);
  return await engines(async () => ({ ...(await identity()), ca: ca.certificatePem }))(place);
}
