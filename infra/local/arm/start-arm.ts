import type { Server } from 'node:https';
import type { Running } from '../data-centre.ts';
import type { MetadataDirectory } from '../identity/metadata-directory.ts';
import { type ScheduledEvents, scheduledEvents } from '../identity/scheduled-events.ts';
import type { MachineRuntime } from '../machine-runtime/machine-runtime.ts';
import type { Arm, Quota } from './arm.ts';
import { forwardings } from './balancing/balancing.ts';
import { forwarder } from './balancing/forwarder.ts';
import { computeRoutes } from './compute/compute-routes.ts';
import { metadataDirectory } from './metadata-directory.ts';
import { networkRoutes } from './network/network-routes.ts';
import { faultRoutes } from './operations/fault-routes.ts';
import { faults } from './operations/faults.ts';
import { operationHeaders, operationRoutes } from './operations/operation-routes.ts';
import { operations } from './operations/operations.ts';
import { reconcile } from './reconcile.ts';
import type { Verify } from './requests/authenticate.ts';
import { armServer } from './requests/server.ts';
import { openDatabase } from './resources/database.ts';
import { ensureGroup, groupRoutes } from './resources/group-routes.ts';
import { resources } from './resources/resources.ts';
import { runCommandRoutes } from './run-command/run-command-routes.ts';
import { bodyCheck } from './specification/body-check.ts';

export interface ArmOptions {
  /** Where it listens: the gateway of the machines' network. */
  readonly address: string;
  readonly port: number;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly subscription: string;
  readonly tenant: string;
  readonly location: string;
  /** Made at the first start, as a deployment template does on Azure. */
  readonly resourceGroup: string;
  /** CIDR of the machines' Docker network, and the address in it that is taken. */
  readonly subnet: string;
  readonly gateway: string;
  /** Where load balancers listen; absent: `address`. */
  readonly publicAddress?: string;
  /** File of the endpoint's own database. */
  readonly database: string;
  readonly runtime: MachineRuntime;
  readonly verify: Verify;
  /** Folder of Azure's API documents (operations.json in it): bodies are checked against them if it is there. */
  readonly specs?: string;
  readonly quota?: Quota;
  readonly nicReservationMs?: number;
  readonly now?: () => Date;
  /** What the machines' metadata service announces; absent: there is none. */
  readonly events?: ScheduledEvents;
}

export interface RunningArm extends Running {
  /** https://address:port */
  readonly endpoint: string;
  readonly metadataDirectory: MetadataDirectory;
  /** Resolves when no operation is in progress. */
  idle(): Promise<void>;
}

/** Starts the local Azure Resource Manager: goes on with what an earlier process left, then listens. */
export async function startArm(options: ArmOptions): Promise<RunningArm> {
  const database = openDatabase(options.database);
  let closed = false;
  const events = options.events ?? scheduledEvents();
  const now = options.now ?? (() => new Date());
  const arm: Arm = {
    subscription: options.subscription,
    tenant: options.tenant,
    location: options.location,
    machineSubnet: options.subnet,
    gateway: options.gateway,
    quota: options.quota ?? { regionalCores: 200, familyCores: 100 },
    nicReservationMs: options.nicReservationMs ?? 180_000,
    database,
    resources: resources(database),
    operations: operations(database, now),
    runtime: options.runtime,
    forwarder: forwarder(options.publicAddress ?? options.address),
    now,
    events,
    closed: () => closed,
  };
  const ordered = faults(database);
  const routes = [
    ...groupRoutes(arm),
    ...networkRoutes(arm),
    ...computeRoutes(arm),
    ...runCommandRoutes(arm),
    ...operationRoutes(arm),
    ...faultRoutes(ordered),
  ];
  ensureGroup(arm, options.resourceGroup);
  await reconcile(arm);
  // A port that another program has taken meanwhile is no reason not to start: a PUT of the balancer tells.
  await arm.forwarder.set(forwardings(arm)).catch(() => {});
  arm.operations.resume();
  const server = armServer({
    certificate: options.certificate,
    key: options.key,
    subscription: options.subscription,
    tenant: options.tenant,
    verify: options.verify,
    routes,
    faults: ordered,
    operationHeaders: operationHeaders(arm),
    checkBody: bodyCheck(options.specs),
  });
  const port = await listen(server, options);
  return {
    endpoint: `https://${options.address}:${port}`,
    metadataDirectory: metadataDirectory(arm),
    idle: () => arm.operations.idle(),
    async close() {
      closed = true;
      events.close();
      arm.operations.close();
      await arm.forwarder.close();
      server.closeAllConnections();
      await new Promise<void>((resolve, reject) =>
        server.close((error) => (error ? reject(error) : resolve())),
      );
      database.close();
    },
  };
}

function listen(server: Server, { address, port }: ArmOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}
