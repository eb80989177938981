import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { appCredential } from '../infra/local/identity/app-credential.ts';
import { containerName } from '../infra/local/machine-runtime/machine-container.ts';
import { listMachines } from '../infra/local/machine-runtime/machine-containers.ts';
import { forgetDataCentre } from '../infra/local/supervisor/forget-data-centre.ts';
import { mainJob } from '../infra/local/supervisor/main-job.ts';
import { cacheOf } from '../infra/local/supervisor/prepare.ts';
import { progress } from '../infra/local/supervisor/progress.ts';
import { type RunningDataCentre, startDataCentre } from '../infra/local/supervisor/start-data-centre.ts';
import { removeDataCentre } from '../infra/local/supervisor/stop-machines.ts';
import { clientIdentity } from '../shared/certificates/client-certificate.ts';
import { ensureEngineCa } from '../shared/certificates/engine-ca.ts';
import type { Engine } from '../shared/docker/engine.ts';
import { engines } from '../shared/docker/engines.ts';
import { Secret } from '../shared/secrets/secret.ts';
import { blobSecrets } from '../shared/secrets/secrets.blobs.ts';
import { azureBlobs } from '../shared/state/blobs.azure.ts';
import { type EngineEvents, followEngine } from './engine-events.ts';
import type { Report } from './report.ts';

/** A data centre of its own, in which the example runs on one machine. */
export interface WarmMachine {
  readonly running: RunningDataCentre;
  /** The machine's engine as the app reaches it: the same client, the same mutual TLS. */
  readonly engine: Engine;
  readonly events: EngineEvents;
  /** Calls the app as the administrator. */
  call<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T>;
}

const checkout = fileURLToPath(new URL('..', import.meta.url));

/** Brings a warm machine up, lets `work` use it, and removes everything, also after a failure or Ctrl-C. */
export async function withWarmMachine<T>(
  report: Report,
  work: (machine: WarmMachine) => Promise<T>,
): Promise<T> {
  const { signal, stop } = interruption();
  const steps = progress(
    { isTTY: false, columns: 120, color: false, write: (text) => report(text.trimEnd()) },
    Date.now,
  );
  const directory = join(checkout, '.berth', 'bench');
  const dockerHost = process.env['DOCKER_HOST'];
  const forget = async (): Promise<void> => {
    await forgetDataCentre(directory, dockerHost, steps);
    await rm(directory, { recursive: true, force: true });
  };
  await forget();
  const options = { directory, cache: cacheOf(checkout), app: checkout, dockerHost, progress: steps, signal };
  const running = await startDataCentre(options).catch(async (error: unknown) => {
    await forget();
    throw error;
  });
  let events: EngineEvents | undefined;
  try {
    await mainJob(running, { checkout, cache: cacheOf(checkout), progress: steps, signal });
    const place = await machineOf(running);
    events = await followEngine(place.socket);
    const engine = await engineOf(running, place);
    const made: WarmMachine = { running, engine, events, call: caller(running) };
    return await Promise.race([work(made), aborted(signal)]);
  } finally {
    events?.close();
    await steps.step('remove machine, network and state', async () => {
      await running.stop();
      await removeDataCentre(running.engine, running.dataCentre);
      await rm(directory, { recursive: true, force: true });
    });
    stop();
  }
}

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

function caller({ dataCentre, keys }: RunningDataCentre): WarmMachine['call'] {
  return async (schema, method, path, body) => {
    const response = await fetch(`https://${dataCentre.gateway}:${dataCentre.ports.app}${path}`, {
      method,
      headers: { authorization: `Bearer ${keys.admin}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return schema.parse(JSON.parse(text));
  };
}

function interruption(): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Error('interrupted'));
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  return {
    signal: controller.signal,
    stop() {
      process.off('SIGINT', abort);
      process.off('SIGTERM', abort);
    },
  };
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
