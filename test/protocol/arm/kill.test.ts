import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensurePlatformCa } from '../../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../../infra/local/platform-ca/server-certificate.ts';
import { armClients } from '../../../shared/machines/arm-clients.azure.ts';
import { azureCloud } from '../../../shared/machines/cloud.azure.ts';
import type { Cloud, Progress } from '../../../shared/machines/cloud.ts';
import { Retryable } from '../../../shared/model/errors.ts';
import { credential } from '../../support/arm.ts';

const KILLS = process.env.TEST_LONG === '1' ? 60 : 6;
const SCRIPT = fileURLToPath(new URL('../../support/arm-process.ts', import.meta.url));

let folder: string;
let port: number;
let child: ChildProcess | undefined;
let cloud: Cloud;

async function startChild(): Promise<void> {
  child = spawn(process.execPath, [SCRIPT, folder, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
}

async function kill(): Promise<void> {
  const gone = once(child!, 'exit');
  child!.kill('SIGKILL');
  await gone;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-arm-kill-'));
  const ca = await ensurePlatformCa(join(folder, 'ca'));
  await issueServerCertificate(ca, ['127.0.0.1'], join(folder, 'tls'));
  setDefaultCACertificates([...getCACertificates('default'), ca.certificatePem]);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  port = (probe.address() as { port: number }).port;
  probe.close();
  await once(probe, 'close');
  cloud = azureCloud(
    armClients(
      {
        subscription: '11111111-2222-4333-8444-555555555555',
        resourceGroup: 'berth-machines',
        location: 'westeurope',
        network: '10.77.0.0/16',
        appNetwork: '10.77.0.1/32',
        armEndpoint: `https://127.0.0.1:${port}`,
      },
      credential,
    ),
  );
  await startChild();
});
afterAll(async () => {
  if (child?.exitCode === null && child.signalCode === null) await kill();
  await rm(folder, { recursive: true, force: true });
});

/** As an activity is: tried again while ARM cannot be reached. */
async function tried<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Retryable)) throw error;
      await wait(10);
    }
  }
}

async function end(begin: () => Promise<Progress>): Promise<void> {
  let progress = await tried(begin);
  while (progress.status === 'going') {
    const { operation } = progress;
    await wait(5);
    progress = await tried(() => cloud.poll(operation));
  }
  expect(progress).toMatchObject({ status: 'done' });
}

async function make(name: string): Promise<void> {
  await end(() => cloud.ensureNetwork());
  await end(() => cloud.createNic({ name: `${name}-nic`, machine: name }));
  await end(() =>
    cloud.createVirtualMachine({
      name,
      nic: `${name}-nic`,
      disk: `${name}-disk`,
      size: 'Standard_B2s',
      image: 'Debian:debian-13:13-gen2:latest',
      customData: '',
      tags: {},
    }),
  );
}

it(`loses and doubles nothing when it is killed ${KILLS} times while VMs come and go`, async () => {
  let working = true;
  const work = async (worker: string): Promise<void> => {
    await make(`${worker}-keep`);
    for (let round = 0; working; round += 1) {
      await make(`${worker}-${round}`);
      await end(() => cloud.deleteResource('vm', `${worker}-${round}`));
    }
  };
  const workers = Promise.all([work('a'), work('b')]).finally(() => {
    working = false;
  });
  for (let kills = 0; kills < KILLS && working; kills += 1) {
    // A different moment each time; what follows must hold at every one.
    await wait(40 + ((kills * 67) % 240));
    await kill();
    await startChild();
  }
  working = false;
  await workers;

  const tagged = await tried(() => cloud.tagged());
  expect(tagged.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(
    ['a-keep', 'b-keep'].flatMap((name) => [`disk ${name}-disk`, `nic ${name}-nic`, `vm ${name}`]).sort(),
  );
  const machines = readdirSync(join(folder, 'machines'));
  expect(machines.sort()).toEqual(['a-keep', 'b-keep']);
  for (const name of machines) expect(readFileSync(join(folder, 'machines', name), 'utf8')).toBe('running');
});
