import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { appServiceEndpoint } from '../../infra/local/identity/app-service-endpoint.ts';
import { guarded, serve } from '../../infra/local/identity/serve.ts';
import { ensureSigningKey } from '../../infra/local/identity/signing-key.ts';
import { tokenIssuer } from '../../infra/local/identity/tokens.ts';
import { ensurePlatformCa } from '../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../infra/local/platform-ca/server-certificate.ts';
import { ensureAccountKey } from '../../infra/local/storage/account-key.ts';
import type { StorageEndpoints } from '../../infra/local/storage/start-storage.ts';

export interface TestStorage {
  readonly blobUri: string;
  readonly queueUri: string;
  readonly tableUri: string;
  readonly credential: TokenCredential;
  /** What a child process needs to reach this storage as the app would: trust, identity, endpoints. */
  readonly environment: Readonly<Record<string, string>>;
  /** The account's shared key, for programs that take nothing else. */
  accountKey(): Promise<string>;
  /** Ends all of it and removes what it stored. */
  stop(): Promise<void>;
}

/**
 * A storage account of its own for a test: Azurite over TLS with tokens, a managed-identity endpoint, a certificate
 * authority that this process trusts until `stop`. One at a time in each process.
 */
export async function startTestStorage(): Promise<TestStorage> {
  const directory = await mkdtemp(join(tmpdir(), 'test-storage-'));
  const undo: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const ca = await ensurePlatformCa(join(directory, 'ca'));
    const server = await issueServerCertificate(ca, ['127.0.0.1', 'localhost'], directory);
    const data = join(directory, 'data');
    const child = fork(
      new URL('./storage-process.ts', import.meta.url),
      [data, server.certificateFile, server.keyFile],
      { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    undo.push(() => ended(child));
    const clientId = randomUUID();
    const identity = await startAppIdentity(directory, clientId);
    undo.push(identity.close);
    const [endpoints] = (await Promise.race([once(child, 'message'), failed(child)])) as [StorageEndpoints];
    const environment = {
      ...identity.environment,
      NODE_EXTRA_CA_CERTS: ca.certificateFile,
      AzureWebJobsStorage__credential: 'managedidentity',
      AzureWebJobsStorage__clientId: clientId,
      AzureWebJobsStorage__blobServiceUri: endpoints.blob,
      AzureWebJobsStorage__queueServiceUri: endpoints.queue,
      AzureWebJobsStorage__tableServiceUri: endpoints.table,
    };
    undo.push(trust(ca.certificatePem), setEnvironment(identity.environment));
    return {
      blobUri: endpoints.blob,
      queueUri: endpoints.queue,
      tableUri: endpoints.table,
      credential: new ManagedIdentityCredential({ clientId }),
      environment,
      accountKey: () => ensureAccountKey(data),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Azure's identity library keeps the first endpoint and secret that a process had: later ones are the same. */
const identityEndpoint = { port: 0, header: randomBytes(24).toString('hex') };

async function startAppIdentity(directory: string, clientId: string) {
  const tenant = randomUUID();
  const { header } = identityEndpoint;
  const key = await ensureSigningKey(directory);
  const identityId =
    '/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/test';
  const endpoint = appServiceEndpoint(
    { clientId, principalId: randomUUID(), identityId, resourceId: identityId, header },
    tokenIssuer(key, `https://sts.windows.net/${tenant}/`, tenant),
  );
  const { port, close } = await serve(createServer(guarded(endpoint)), identityEndpoint.port, '127.0.0.1');
  identityEndpoint.port = port;
  return {
    environment: { IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/msi/token`, IDENTITY_HEADER: header },
    close,
  };
}

function trust(certificate: string): () => void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, certificate]);
  return () => setDefaultCACertificates(before);
}

function setEnvironment(values: Record<string, string>): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  };
}

async function failed(child: ChildProcess): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`Azurite ended before it was ready: exit ${code ?? signal}`);
}

/** What it stored is removed with it, so it need not write it first. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
