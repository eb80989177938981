import { join, resolve } from 'node:path';
import { startArm } from '../arm/start-arm.ts';
import { type Running, readDataCentre } from '../data-centre.ts';
import type { MetadataDirectory } from '../identity/metadata-directory.ts';
import { startIdentity } from '../identity/start-identity.ts';
import { dockerMachineRuntime } from '../machine-runtime/docker-machine-runtime.ts';
import { ensureEngine } from '../machine-runtime/engine.ts';
import { ensurePlatformCa } from '../platform-ca/authority.ts';
import { issueServerCertificate } from '../platform-ca/server-certificate.ts';
import { startServiceBus } from '../service-bus/start-service-bus.ts';

/** `node infra/local/cloud/main.ts <data-centre.json> <cache folder>`. Prints `ready`; ends at SIGTERM, machines go on. */
const [, , file, cache] = process.argv;
if (file === undefined || cache === undefined) {
  console.error('usage: node infra/local/cloud/main.ts <data-centre.json> <cache folder>');
  process.exit(2);
}
const dataCentre = readDataCentre(file);
const { directory, gateway, ports } = dataCentre;
const report = (line: string): void => console.log(line);
const ca = await ensurePlatformCa(join(directory, 'ca'));
const server = await issueServerCertificate(
  ca,
  [gateway, 'localhost', '127.0.0.1'],
  join(directory, 'cloud'),
);

const engine = await ensureEngine({
  id: dataCentre.id,
  directory,
  dockerHost: `unix://${dataCentre.engineSocket}`,
  report,
});
const runtime = await dockerMachineRuntime({
  engine,
  id: dataCentre.id,
  directory,
  cache,
  network: dataCentre.network,
  subnet: dataCentre.subnet,
  gateway,
  metadataPort: ports.metadata,
  openPorts: [ports.app],
  authority: ca.certificatePem,
  report,
});

/** Identity answers before ARM can: a machine that asks meanwhile is told to ask again. */
let instances: MetadataDirectory | undefined;
const identity = await startIdentity(dataCentre, {
  directory: { byAddress: async (address) => instances?.byAddress(address) },
  keysDirectory: join(directory, 'cloud', 'keys'),
  certificate: server.certificate,
  key: server.key,
});
const arm = await startArm({
  address: gateway,
  port: ports.arm,
  certificate: server.certificate,
  key: server.key,
  subscription: dataCentre.subscription,
  tenant: dataCentre.tenant,
  location: dataCentre.location,
  resourceGroup: dataCentre.resourceGroup,
  subnet: dataCentre.subnet,
  gateway,
  database: join(directory, 'cloud', 'arm.sqlite'),
  runtime,
  verify: identity.verifier,
  specs: resolve(import.meta.dirname, '../../../../shared/reference/azure-specs'),
});
instances = arm.metadataDirectory;
const serviceBus = await startServiceBus({
  address: '127.0.0.1',
  port: ports.serviceBus,
  certificate: server.certificate,
  key: server.key,
  database: join(directory, 'cloud', 'service-bus.sqlite'),
  queues: [{ name: 'commands', maxDeliveryCount: 10, lockSeconds: 60, duplicateWindowSeconds: 600 }],
  topics: [
    {
      name: 'registry-events',
      duplicateWindowSeconds: 600,
      subscriptions: [{ name: 'all', maxDeliveryCount: 10, lockSeconds: 60, requiresSession: true }],
    },
  ],
  verify: identity.verifier,
});

const running: readonly Running[] = [serviceBus, arm, identity, runtime];
const stop = async (): Promise<void> => {
  for (const part of running) await part.close();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
process.stdout.write('ready\n');
