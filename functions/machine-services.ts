import type { TokenCredential } from '@azure/identity';
import { clientIdentity } from '../shared/certificates/client-certificate.ts';
import { type EngineCa, ensureEngineCa } from '../shared/certificates/engine-ca.ts';
import type { Settings } from '../shared/config/settings.ts';
import { accesses } from '../shared/docker/access.https.ts';
import type { AccessOf } from '../shared/docker/access.ts';
import type { EngineOf } from '../shared/docker/engine.ts';
import { engines } from '../shared/docker/engines.ts';
import type { InsideOf } from '../shared/docker/inside.ts';
import { insides } from '../shared/docker/insides.ts';
import { azureBalancer } from '../shared/ingress/balancer/balancer.azure.ts';
import type { Balancer } from '../shared/ingress/balancer/balancer.ts';
import { armClients } from '../shared/machines/arm-clients.azure.ts';
import { type BreakerStore, breakerStore } from '../shared/machines/breaker/breaker-store.ts';
import { azureCatalogue } from '../shared/machines/by-hand/catalogue.azure.ts';
import type { Catalogue } from '../shared/machines/by-hand/catalogue.ts';
import { azurePublicAccess } from '../shared/machines/by-hand/public-access.azure.ts';
import type { PublicAccess } from '../shared/machines/by-hand/public-access.ts';
import { azureCloud } from '../shared/machines/cloud.azure.ts';
import type { Cloud } from '../shared/machines/cloud.ts';
import { type Consoles, consoles } from '../shared/machines/consoles.ts';
import { type GoldenStore, goldenStore } from '../shared/machines/golden/golden-store.ts';
import { azureMachineImages } from '../shared/machines/golden/machine-images.azure.ts';
import type { MachineImages } from '../shared/machines/golden/machine-images.ts';
import { type IdentityTokens, identityTokens } from '../shared/machines/identity-token.ts';
import { type MachineStore, machineStore } from '../shared/machines/machine-store.ts';
import { type Offers, offers } from '../shared/machines/offerings/offers.ts';
import { priceOf } from '../shared/machines/offerings/prices.ts';
import { azureRegion } from '../shared/machines/offerings/region.azure.ts';
import type { Region } from '../shared/machines/offerings/region.ts';
import { unavailableStore } from '../shared/machines/offerings/unavailable-store.ts';
import { azurePower } from '../shared/machines/power.azure.ts';
import type { Power } from '../shared/machines/power.ts';
import { azureEvictions } from '../shared/machines/replacement/evictions.azure.ts';
import type { Evictions } from '../shared/machines/replacement/evictions.ts';
import { azureRunCommands } from '../shared/machines/run/run-commands.azure.ts';
import type { RunCommands } from '../shared/machines/run/run-commands.ts';
import { azureRunLogs } from '../shared/machines/run/run-logs.azure.ts';
import type { RunLogs } from '../shared/machines/run/run-logs.ts';
import { type MachineRunStore, machineRunStore } from '../shared/machines/run/run-store.ts';
import { signBlob } from '../shared/machines/run/sign-blob.azure.ts';
import { httpsReceivers } from '../shared/networks/receiver.https.ts';
import type { Receivers } from '../shared/networks/receiver.ts';
import type { Secrets } from '../shared/secrets/secrets.ts';
import { azureBlobs } from '../shared/state/blobs.azure.ts';
import type { Tables } from '../shared/state/tables.ts';

/** The part of the services that concerns machines and their engines. */
export interface MachineServices {
  readonly engineCa: () => Promise<EngineCa>;
  /** One client for each machine's engine. */
  readonly engineOf: EngineOf;
  /** What people do with containers of a machine. */
  readonly accessOf: AccessOf;
  /** What is done inside of containers of Berth's own. */
  readonly insideOf: InsideOf;
  /** The load balancer in front of the ingress. */
  readonly balancer: Balancer;
  /** Where machines take what they are told of the containers' network. */
  readonly receivers: Receivers;
  readonly machines: MachineStore;
  readonly cloud: Cloud;
  readonly power: Power;
  /** Sizes and quotas of the region. */
  readonly region: Region;
  /** What machines of pools may be now. */
  readonly offers: Offers;
  /** Whether pools rest after failures. */
  readonly breakers: BreakerStore;
  readonly runCommands: RunCommands;
  /** Output of commands on machines. */
  readonly runLogs: RunLogs;
  readonly machineRuns: MachineRunStore;
  /** Signs addresses with the key of an account that a user named. */
  readonly signBlob: typeof signBlob;
  readonly evictions: Evictions;
  readonly publicAccess: PublicAccess;
  readonly catalogue: Catalogue;
  readonly machineImages: MachineImages;
  /** Records of golden images. */
  readonly golden: GoldenStore;
  /** Console logs of machines that failed. */
  readonly consoles: Consoles;
  /** Proofs of which VM is calling. */
  readonly machineTokens: IdentityTokens;
}

export function machineServices(from: {
  readonly settings: Settings;
  readonly credential: TokenCredential;
  readonly secrets: Secrets;
  readonly tables: Tables;
}): MachineServices {
  const { settings, credential, secrets, tables } = from;
  const engineCa = once(() => ensureEngineCa(secrets));
  const identity = clientIdentity(engineCa, 'berth', CLIENT_MINUTES);
  const client = async () => ({ ...(await identity()), ca: (await engineCa()).certificatePem });
  const arm = armClients(settings, credential);
  const now = (): Date => new Date();
  const region = azureRegion(arm, now);
  return {
    engineCa,
    engineOf: engines(client),
    accessOf: accesses(client),
    insideOf: insides(client),
    balancer: azureBalancer(arm),
    receivers: httpsReceivers(client),
    machines: machineStore(tables),
    cloud: azureCloud(arm),
    power: azurePower(arm),
    region,
    offers: offers({
      region,
      store: unavailableStore(tables),
      priceOf: (size, priority) => priceOf(settings.location, size, priority),
      now,
    }),
    breakers: breakerStore(tables, now),
    runCommands: azureRunCommands(arm),
    runLogs: azureRunLogs(settings.blobUri, credential),
    machineRuns: machineRunStore(tables),
    signBlob,
    evictions: azureEvictions(arm),
    publicAccess: azurePublicAccess(arm),
    catalogue: azureCatalogue(arm),
    machineImages: azureMachineImages(arm),
    golden: goldenStore(tables),
    consoles: consoles(azureBlobs(settings.blobUri, 'machines', credential)),
    machineTokens: identityTokens(settings.tokenAuthority),
  };
}

/** Life of the certificate with which the app comes to its engines. */
const CLIENT_MINUTES = 24 * 60;

/** Makes a value when it is first asked for; a failure is forgotten, so that the next call tries again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
