import { createServer } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { join } from 'node:path';
import { metadataService } from '../../infra/local/identity/metadata-service.ts';
import { type ScheduledEvents, scheduledEvents } from '../../infra/local/identity/scheduled-events.ts';
import { serve } from '../../infra/local/identity/serve.ts';
import { ensureSigningKey } from '../../infra/local/identity/signing-key.ts';
import { tokenIssuer } from '../../infra/local/identity/tokens.ts';
import { tokenVerifier } from '../../infra/local/identity/verifier.ts';
import { issueServerCertificate } from '../../infra/local/platform-ca/server-certificate.ts';
import { issueClientCertificate } from '../../shared/certificates/client-certificate.ts';
import { type EngineCa, ensureEngineCa } from '../../shared/certificates/engine-ca.ts';
import { signMachineCertificate } from '../../shared/certificates/machine-certificate.ts';
import type { ClientIdentity } from '../../shared/docker/connection.ts';
import { wantsCertificate } from '../../shared/machines/certificate-renewal.ts';
import { type LogAnswer, LogReport } from '../../shared/machines/log-report.ts';
import {
  BootRequest,
  MachineObservation,
  RegistrationRequest,
  ScheduledEventsReport,
} from '../../shared/machines/observation.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { NetworkRequest } from '../../shared/networks/protocol.ts';
import type { TestMachines } from './machines.ts';

export interface RegisteringApp {
  readonly url: string;
  readonly engineCa: EngineCa;
  /** What machines have reported, oldest first. */
  readonly observations: MachineObservation[];
  /** What their containers wrote, oldest first. */
  readonly logs: LogReport[];
  /** What machines said that their metadata service announces, oldest first. */
  readonly announcements: ScheduledEventsReport[];
  /** What the metadata service announces. */
  readonly events: ScheduledEvents;
  /** How machines said that their cloud-init ended. */
  readonly boots: (BootRequest & { readonly machine: string })[];
  /** Why requests were refused. */
  readonly refused: string[];
  /** By which it signs certificates, and finds that they end. */
  readonly clock: { now(): Date };
  /** The app's client certificate. */
  readonly identity: () => Promise<ClientIdentity>;
  close(): Promise<void>;
}

const tenant = '00000000-0000-4000-8000-000000000001';
const group = '/subscriptions/00000000-0000-4000-8000-000000000002/resourceGroups/test';

/** The machine's side of the API, with real certificates and real tokens, and the metadata service beside it. */
export async function startRegisteringApp(
  machines: TestMachines,
  known: Readonly<Record<string, string>>,
): Promise<RegisteringApp> {
  const { gateway } = machines.network;
  const engineCa = await ensureEngineCa({ ensure: async (_name, make) => make() });
  const key = await ensureSigningKey(join(machines.directory, 'identity'));
  const issuer = `https://sts.windows.net/${tenant}/`;
  const verify = tokenVerifier(key, issuer);
  const events = scheduledEvents();
  const directory = {
    byAddress: async (address: string) => {
      const name = Object.keys(known).find((machine) => known[machine] === address);
      return name === undefined ? undefined : instance(name, address);
    },
  };
  const observations: MachineObservation[] = [];
  const logs: LogReport[] = [];
  const announcements: ScheduledEventsReport[] = [];
  const boots: (BootRequest & { machine: string })[] = [];
  const refused: string[] = [];
  const clock = { now: () => new Date() };
  const certificates = new Map<string, NonNullable<Machine['certificate']>>();
  const answer = async (path: string, token: string, body: unknown): Promise<object | undefined> => {
    const [, name = '', call] = /^\/api\/v1\/machines\/([^/]+)\/([\w-]+)$/.exec(path) ?? [];
    const claims = await verify(token, 'https://management.azure.com/');
    if (!claims.xms_mirid.endsWith(`/virtualMachines/${name}`))
      throw new Error(`${name}: ${claims.xms_mirid}`);
    if (call === 'registration') {
      const { csr } = RegistrationRequest.parse(body);
      const expected = { name, address: known[name] ?? '' };
      const signed = await signMachineCertificate(engineCa, csr, expected, clock.now());
      certificates.set(name, { serial: signed.serial, notAfter: signed.notAfter.toISOString() });
      return { certificate: signed.certificate, ca: engineCa.certificatePem };
    }
    // Such machines have no part in the containers' network.
    if (call === 'network') return void NetworkRequest.parse(body);
    if (call === 'boot') {
      boots.push({ ...BootRequest.parse(body), machine: name });
      return undefined;
    }
    if (call === 'logs') {
      const report = LogReport.parse(body);
      logs.push(report);
      return { parts: report.parts.map(() => ({ moved: false })) } satisfies LogAnswer;
    }
    if (call === 'scheduled-events') {
      announcements.push(ScheduledEventsReport.parse(body));
      return { approve: announcements.at(-1)?.events.map(({ EventId }) => EventId) ?? [] };
    }
    observations.push(MachineObservation.parse(body));
    const isWanted = wantsCertificate(
      { certificate: certificates.get(name), renewal: undefined },
      clock.now(),
    );
    return isWanted ? { renewCertificate: true } : undefined;
  };
  const tls = await issueServerCertificate(machines.ca, [gateway], join(machines.directory, 'app'));
  const app = createHttps({ cert: tls.certificate, key: tls.key }, async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const token = (request.headers.authorization ?? '').replace('Bearer ', '');
      const answered = await answer(request.url ?? '', token, JSON.parse(Buffer.concat(chunks).toString()));
      response.writeHead(answered === undefined ? 204 : 200).end(answered && JSON.stringify(answered));
    } catch (error) {
      refused.push(String(error));
      response.writeHead(400).end(String(error));
    }
  });
  const running = [
    await serve(app, machines.appPort, gateway),
    await serve(
      createServer(metadataService(directory, events, tokenIssuer(key, issuer, tenant))),
      machines.metadataPort,
      gateway,
    ),
  ];
  const client = await issueClientCertificate(engineCa, 'berth', 60);
  const identity = { certificate: client.certificate, key: client.key, ca: engineCa.certificatePem };
  return {
    url: `https://${gateway}:${machines.appPort}`,
    ...{ engineCa, observations, logs, announcements, boots, refused, events, clock },
    identity: async () => identity,
    close: async () => {
      events.close();
      for (const server of running) await server.close();
    },
  };
}

const instance = (name: string, address: string) => ({
  resourceId: `${group}/providers/Microsoft.Compute/virtualMachines/${name}`,
  vmId: '00000000-0000-4000-8000-000000000003',
  name,
  location: 'westeurope',
  vmSize: 'Standard_B2s',
  resourceGroup: 'test',
  subscription: '00000000-0000-4000-8000-000000000002',
  tags: {},
  userData: '',
  privateAddress: address,
  publicAddress: undefined,
  principalId: '00000000-0000-4000-8000-000000000004',
});
