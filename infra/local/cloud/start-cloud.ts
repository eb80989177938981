import { join, resolve } from 'node:path';
import type { Quota } from '../arm/arm.ts';
import { startArm } from '../arm/start-arm.ts';
import type { DataCentre, Running } from '../data-centre.ts';
import type { MetadataDirectory } from '../identity/metadata-directory.ts';
import { startIdentity } from '../identity/start-identity.ts';
import type { MachineRuntime } from '../machine-runtime/machine-runtime.ts';
import { ensurePlatformCa } from '../platform-ca/authority.ts';
import { issueServerCertificate } from '../platform-ca/server-certificate.ts';
import { startServiceBus } from '../service-bus/start-service-bus.ts';

export interface CloudOptions {
  /** What carries the machines; closed with the cloud. */
  readonly runtime: MachineRuntime & Running;
  /** Cores that the subscription may use; absent: as ARM has it. */
  readonly quota?: Quota;
}

/** Identity, metadata, ARM and Service Bus of a data centre, on its ports. */
export async function startCloud(dataCentre: DataCentre, { runtime, quota }: CloudOptions): Promise<Running> {
  const { directory, gateway, ports } = dataCentre;
  const ca = await ensurePlatformCa(join(directory, 'ca'));
  const server = await issueServerCertificate(
    ca,
    [gateway, 'localhost', '127.0.0.1'],
    join(directory, 'cloud'),
  );

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
    ...(quota === undefined ? {} : { quota }),
    verify: identity.verifier,
    events: identity.events,
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

  return {
    close: async () => {
      for (const part of [serviceBus, arm, identity, runtime]) await part.close();
    },
  };
}
