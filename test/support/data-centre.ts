import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { containerName } from '../../infra/local/machine-runtime/machine-container.ts';
import { execute, listMachines } from '../../infra/local/machine-runtime/machine-containers.ts';
import { type DockerClient, dockerClient } from '../../infra/local/supervisor/docker-client.ts';
import { filesOf } from '../../infra/local/supervisor/files.ts';
import { mainJob } from '../../infra/local/supervisor/main-job.ts';
import { progress } from '../../infra/local/supervisor/progress.ts';
import { type RunningDataCentre, startDataCentre } from '../../infra/local/supervisor/start-data-centre.ts';
import { removeDataCentre } from '../../infra/local/supervisor/stop-machines.ts';
import { type SignedLayer, signatureManifest } from './cosign.ts';
import { entrust } from './custodian.ts';
import { cache } from './machines.ts';
import { type Content, content } from './oci-image.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
/** Lines of each process that `logs` shows. */
const SHOWN = 80;

/** The whole data centre as `npm start` brings it up, in a folder of its own. */
export interface TestDataCentre {
  readonly running: RunningDataCentre;
  /** The real docker client, logged in by `mainJob`. */
  readonly docker: DockerClient;
  /** Host and port of the app's registry, as the docker client names it. */
  readonly registry: string;
  /** Deploys examples/hello, builds and pushes it. @returns each healthy replica's address */
  mainJob(): Promise<readonly string[]>;
  /** Builds examples/hello as this version and pushes it. @returns the digest that was pushed */
  push(version: string): Promise<string>;
  /** Pushes a signature or an attestation of what has this digest, as clients of OCI 1.1 do. */
  pushReferrer(repository: string, digest: string, layer: SignedLayer): Promise<void>;
  /** Calls the API as the administrator with a JSON body. @throws with the answer, if it is a refusal */
  call<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T>;
  /** Calls the app as the administrator, whatever it answers. */
  fetch(method: string, path: string, init?: Pick<RequestInit, 'body' | 'headers'>): Promise<Response>;
  /** Names of the machines that have a container. */
  machines(): Promise<readonly string[]>;
  /** Runs a command in a machine, as root. @returns its output */
  shell(machine: string, command: string): Promise<string>;
  /** What was shown and the last lines of every process. */
  logs(): string;
  /** Stops it and removes everything: machines, network, state. */
  close(): Promise<void>;
}

export async function startTestDataCentre(): Promise<TestDataCentre> {
  const trusted = getCACertificates('default');
  const directory = await mkdtemp(join(tmpdir(), 'berth-e2e-'));
  const dismiss = entrust({ kind: 'data-centre', directory });
  let shown = '';
  const screen = {
    isTTY: false,
    columns: 120,
    color: false,
    write(text: string) {
      shown += text;
    },
  };
  const steps = progress(screen, Date.now);
  const { signal } = new AbortController();
  const logs = () => `${shown}\n${lastLines(filesOf(directory).logs)}`;
  let running: RunningDataCentre;
  try {
    running = await startDataCentre({
      directory,
      cache,
      app: checkout,
      dockerHost: process.env['DOCKER_HOST'],
      progress: steps,
      signal,
    });
  } catch (error) {
    console.log(logs());
    await rm(directory, { recursive: true, force: true });
    dismiss();
    throw error;
  }
  const { dataCentre, engine, keys } = running;
  const { gateway, ports } = dataCentre;
  const registry = `127.0.0.1:${ports.app}`;
  const docker = dockerClient(engine.socket, filesOf(directory).docker);
  const ask: TestDataCentre['fetch'] = (method, path, { body, headers } = {}) =>
    fetch(`https://${gateway}:${ports.app}${path}`, {
      method,
      ...(body === undefined || body === null ? {} : { body }),
      headers: { authorization: `Bearer ${keys.admin}`, ...(headers as Record<string, string> | undefined) },
    });

  return {
    running,
    docker,
    registry,
    logs,
    fetch: ask,
    mainJob: async () => (await mainJob(running, { checkout, cache, progress: steps, signal })).addresses,
    async push(version) {
      const image = `${registry}/hello/web:latest`;
      const values = ['--build-arg', `BASE=${registry}/library`, '--build-arg', `VERSION=${version}`];
      await docker.run(['build', ...values, '--tag', image, join(checkout, 'examples/hello')]);
      const output = await docker.run(['push', image]);
      const digest = /digest: (sha256:[0-9a-f]{64})/.exec(output)?.[1];
      if (digest === undefined) throw new Error(`docker push told no digest:\n${output}`);
      return digest;
    },
    async pushReferrer(repository, digest, layer) {
      const scope = encodeURIComponent(`repository:${repository}:pull,push`);
      const basic = Buffer.from(`admin:${keys.admin}`).toString('base64');
      const issued = await ask('GET', `/v2/token?service=berth&scope=${scope}`, {
        headers: { authorization: `Basic ${basic}` },
      });
      const { token } = (await issued.json()) as { token: string };
      const authorization = `Bearer ${token}`;
      const path = `/v2/${repository}`;
      const image = await ask('GET', `${path}/manifests/${digest}`, { headers: { authorization } });
      const subject = content(
        image.headers.get('content-type') ?? '',
        new Uint8Array(await image.arrayBuffer()),
      );
      const { manifest, blobs } = signatureManifest([layer], {
        subject,
        artifactType: layer.layer.mediaType,
      });
      const push = async (method: string, place: string, { bytes, mediaType }: Content): Promise<void> => {
        const headers = { authorization, 'content-type': mediaType };
        const answer = await ask(method, place, { body: bytes as Uint8Array<ArrayBuffer>, headers });
        if (answer.status !== 201) throw new Error(`${place} answered ${await answer.text()}`);
      };
      for (const blob of blobs) await push('POST', `${path}/blobs/uploads/?digest=${blob.digest}`, blob);
      await push('PUT', `${path}/manifests/${manifest.digest}`, manifest);
    },
    async call(schema, method, path, body) {
      const response = await ask(method, path, {
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
      return schema.parse(text === '' ? undefined : JSON.parse(text));
    },
    machines: () => listMachines(engine.api, dataCentre.id),
    shell: (machine, command) =>
      execute(engine.api, containerName(dataCentre.id, machine), ['/bin/sh', '-c', command]),
    async close() {
      try {
        await running.stop();
        await removeDataCentre(engine, dataCentre);
      } finally {
        setDefaultCACertificates(trusted);
        await rm(directory, { recursive: true, force: true });
        dismiss();
      }
    },
  };
}

function lastLines(folder: string): string {
  const parts: string[] = [];
  for (const name of ['storage', 'cloud', 'app']) {
    let text: string;
    try {
      text = readFileSync(join(folder, `${name}.log`), 'utf8');
    } catch {
      continue;
    }
    parts.push(`--- ${name}`, ...text.trimEnd().split('\n').slice(-SHOWN));
  }
  return parts.join('\n');
}
