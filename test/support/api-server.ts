import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { HttpRequest, HttpResponse } from '@azure/functions';
import { deliveryServices } from '../../functions/delivery-services.ts';
import * as api from '../../functions/http/api/main.ts';
import type { Endpoint } from '../../functions/http/endpoint.ts';
import { registryFor } from '../../functions/http/registry-handler.ts';
import { ingressServices } from '../../functions/ingress-services.ts';
import { mirrorServices } from '../../functions/mirror-services.ts';
import type { Services } from '../../functions/services.ts';
import { ensurePlatformCa } from '../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../infra/local/platform-ca/server-certificate.ts';
import { exchange as registryExchange } from '../../infra/registry/exchange.ts';
import { hashKey, makeKey } from '../../shared/auth/api-key.ts';
import { assignmentStore } from '../../shared/auth/entra/assignment-store.ts';
import { keyStore } from '../../shared/auth/key-store.ts';
import { ensureEngineCa } from '../../shared/certificates/engine-ca.ts';
import { eventStore } from '../../shared/events/event-store.ts';
import { hookStore } from '../../shared/events/hooks.ts';
import { memoryBalancer } from '../../shared/ingress/balancer/balancer.memory.ts';
import { memoryAppendBlobs } from '../../shared/logs/append-blobs.memory.ts';
import { logKeeper } from '../../shared/logs/log-keeper.ts';
import { logRetentions } from '../../shared/logs/retention.ts';
import { memoryCatalogue } from '../../shared/machines/by-hand/catalogue.memory.ts';
import { memoryPublicAccess } from '../../shared/machines/by-hand/public-access.memory.ts';
import { memoryCloud } from '../../shared/machines/cloud.memory.ts';
import { consoles } from '../../shared/machines/consoles.ts';
import { goldenStore } from '../../shared/machines/golden/golden-store.ts';
import { memoryMachineImages } from '../../shared/machines/golden/machine-images.memory.ts';
import { machineStore } from '../../shared/machines/machine-store.ts';
import { memoryPower } from '../../shared/machines/power.memory.ts';
import { machineRunStore } from '../../shared/machines/run/run-store.ts';
import { runStore } from '../../shared/registry/care/run-store.ts';
import { imageResolver } from '../../shared/registry/image-resolver.ts';
import { policyStore } from '../../shared/registry/policy/policy-store.ts';
import { sealedTokenKeys } from '../../shared/registry/token-keys/token-keys.sealed.ts';
import { imageTrust } from '../../shared/registry/trust/image-trust.ts';
import { Secret } from '../../shared/secrets/secret.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { sessions } from '../../shared/sessions/sessions.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import type { Blobs } from '../../shared/state/blobs.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import type { Tables } from '../../shared/state/tables.ts';
import { serviceSecrets } from '../../shared/workloads/service-secrets.ts';
import { stores } from '../../shared/workloads/stores.ts';
import { type DurableWebhooks, startDurableWebhooks } from './durable-webhooks.ts';
import { poolServices } from './pools.ts';
import { testRegistry } from './registry-server.ts';

export const endpoints: readonly Endpoint[] = Object.values(api).flatMap((file) =>
  Object.values(file as Record<string, unknown>).filter(
    (value): value is Endpoint =>
      typeof value === 'object' && value !== null && 'route' in value && 'answer' in value,
  ),
);

/** The API over https on 127.0.0.1, with tables in memory. */
export interface ApiServer {
  readonly url: string;
  readonly adminKey: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  readonly tables: Tables;
  readonly durable: DurableWebhooks;
  /** What was logged. */
  readonly log: unknown[][];
  readonly services: Services;
  close(): Promise<void>;
}

/**
 * @param over services that a test brings itself
 * @param blobs of the registry, which is served too, under `/v2/`
 */
export async function startApiServer(
  over: Partial<Services> = {},
  blobs: Blobs = memoryBlobs(),
): Promise<ApiServer> {
  const directory = await mkdtemp(join(tmpdir(), 'test-api-'));
  const ca = await ensurePlatformCa(join(directory, 'ca'));
  const { certificate, key } = await issueServerCertificate(ca, ['127.0.0.1'], directory);
  const log: unknown[][] = [];
  const durable = await startDurableWebhooks((...words) => log.push(words));
  const adminKey = makeKey('admin');
  const tables = memoryTables();
  const server = createServer({ cert: certificate, key });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const memory = memoryServices(tables, blobs);
  const { deps: registry } = await testRegistry({ blobs, tables }, { policies: memory.policies });
  const services = {
    ...memory,
    registry: { ...registry, credentials: keyStore(tables, hashKey(adminKey)), mirror: memory.mirror },
    trust: imageTrust(registry),
    credentials: keyStore(tables, hashKey(adminKey)),
    settings: { ...settings, adminKeyHash: hashKey(adminKey), hostname: host },
    ...over,
  } as unknown as Services;
  server.on('request', (incoming, outgoing) => {
    exchange(incoming, outgoing, host, services, durable).catch(() => outgoing.destroy());
  });
  return {
    url: `https://${host}`,
    adminKey,
    ca: ca.certificatePem,
    tables,
    durable,
    log,
    services,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await durable.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const settings = {
  location: 'westeurope',
  network: '10.20.0.0/16',
  appNetwork: '10.20.255.0/24',
  subscription: '11111111-1111-4111-8111-111111111111',
  resourceGroup: 'berth-machines',
};

/** There are no machines whose containers could be told anything. */
const noInside = (): never => {
  throw new TypeError('the API has nothing to do inside of containers');
};

/** What the API needs of the app's services, all in this process. */
function memoryServices(tables: Tables, blobs: Blobs) {
  const now = () => new Date();
  const current = new Secret(randomBytes(32).toString('base64'));
  const secrets = blobSecrets(memoryBlobs(), { current, previous: undefined });
  const publicAccess = memoryPublicAccess(now);
  const ca = ensureEngineCa(secrets);
  return {
    tables,
    now,
    secrets,
    serviceSecrets: serviceSecrets(tables, secrets, now),
    logs: logKeeper(memoryAppendBlobs()),
    logRetentions: logRetentions(tables),
    sessions: sessions(tables),
    machines: machineStore(tables),
    cloud: memoryCloud(now, publicAccess.kept),
    publicAccess,
    catalogue: memoryCatalogue(),
    power: memoryPower(),
    machineRuns: machineRunStore(tables),
    ...poolServices({ tables, now }),
    consoles: consoles(memoryBlobs()),
    golden: goldenStore(tables),
    machineImages: memoryMachineImages({ now, power: () => undefined }),
    engineCa: () => ca,
    ...ingressServices({
      tables,
      secrets,
      stores: stores(tables),
      insideOf: noInside,
      balancer: memoryBalancer(),
    }),
    events: eventStore(tables, now),
    images: imageResolver(tables),
    policies: policyStore(tables, now),
    careRuns: runStore(tables),
    tokenKeys: sealedTokenKeys(secrets, now),
    assignments: assignmentStore(tables, now),
    hooks: hookStore(tables, secrets),
    ...mirrorServices(tables, secrets, now),
    ...deliveryServices({
      settings: { hostname: 'berth.test' } as never,
      credential: {} as never,
      tables,
      blobs,
      secrets,
      now,
    }),
    deadLetters: { list: async () => [], replay: async () => 0 },
  };
}

async function exchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  host: string,
  services: Services,
  durable: DurableWebhooks,
): Promise<void> {
  const url = new URL(incoming.url ?? '/', `https://${host}`);
  if (url.pathname.startsWith('/v2/'))
    return registryExchange(
      registryFor(services, durable.context('registry')),
      {},
      incoming,
      outgoing,
      false,
    );
  for (const endpoint of endpoints) {
    const params = matchPath(endpoint.route.path, url.pathname);
    if (params === undefined || endpoint.route.method !== incoming.method) continue;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request = new HttpRequest({
      method: incoming.method,
      url: url.href,
      headers: Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      ),
      query: Object.fromEntries(url.searchParams),
      params,
      ...(chunks.length === 0 ? {} : { body: { bytes: Buffer.concat(chunks) } }),
    });
    const answer = await endpoint.answer(request, durable.context(endpoint.route.name), services);
    const response = answer instanceof HttpResponse ? answer : new HttpResponse(answer);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing);
    return;
  }
  outgoing.writeHead(404).end();
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  const expression = template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)').replaceAll('.', '\\.');
  const match = new RegExp(`^${expression}$`).exec(path);
  if (match === null) return undefined;
  return Object.fromEntries(
    Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
  );
}
