import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { issueClientCertificate } from '../../shared/certificates/client-certificate.ts';
import { type EngineCa, ensureEngineCa } from '../../shared/certificates/engine-ca.ts';
import { privateKeyPem } from '../../shared/certificates/keys.ts';
import { signMachineCertificate } from '../../shared/certificates/machine-certificate.ts';
import type { ClientIdentity } from '../../shared/docker/connection.ts';
import { httpsEngine } from '../../shared/docker/engine.https.ts';
import type { Engine } from '../../shared/docker/engine.ts';
import { startDockerEngine } from './docker-engine.ts';
import { shellRoot } from './shell-image.ts';

export interface Subject {
  readonly engine: Engine;
  stop(): Promise<void>;
}

export interface RealEngine extends Subject {
  readonly port: number;
  readonly identity: ClientIdentity;
  readonly ca: EngineCa;
  /** Everything that the engine keeps. */
  readonly directory: string;
}

export const machine = { name: 'contract-engine', address: '127.0.0.1' };

/** A real engine with certificates of a CA of ours, reached over TCP. @param images names of one that has a shell */
export async function realEngine(
  images: readonly string[],
  programs?: readonly string[],
): Promise<RealEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-engine-'));
  const bridge = `bt${randomBytes(4).toString('hex')}`;
  const undo: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const action of undo.reverse()) await action();
  };
  try {
    const ca = await ensureEngineCa({ ensure: async (_, make) => await make() });
    const server = await serverCertificate(ca);
    const write = (name: string, text: string) => {
      writeFileSync(join(directory, name), text, { mode: 0o600 });
      return join(directory, name);
    };
    execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge']);
    undo.push(() => execFileSync('ip', ['link', 'delete', bridge]));
    execFileSync('ip', ['address', 'add', '172.31.250.1/28', 'dev', bridge]);
    const port = await freePort();
    const daemon = await startDockerEngine(directory, [
      ...['--bridge', bridge, '--host', `tcp://127.0.0.1:${port}`, '--tlsverify'],
      ...['--tlscacert', write('ca.pem', ca.certificatePem)],
      ...['--tlscert', write('cert.pem', server.certificate), '--tlskey', write('key.pem', server.key)],
    ]);
    undo.push(() => daemon.stop());
    const root = await shellRoot(programs);
    for (const image of images) await importImage(daemon.socket, image, root);
    const client = await issueClientCertificate(ca, 'test', 60);
    const identity = { certificate: client.certificate, key: client.key, ca: ca.certificatePem };
    const engine = httpsEngine({ ...machine, port, identity: async () => identity });
    return { engine, port, identity, ca, directory, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What a machine does: a key of its own, a request, the app's signature. */
async function serverCertificate(ca: EngineCa) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${machine.name}`,
    keys,
    signingAlgorithm: algorithm,
  });
  const { certificate } = await signMachineCertificate(ca, csr.toString('pem'), machine);
  return { certificate, key: await privateKeyPem(keys.privateKey) };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const importImage = (socketPath: string, image: string, root: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const [repo = '', tag = ''] = image.split(':');
    const path = `/images/create?${new URLSearchParams({ fromSrc: '-', repo, tag })}`;
    const sent = request({ socketPath, method: 'POST', path }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`import: ${response.statusCode}`)),
      );
    });
    sent.once('error', reject);
    sent.end(root);
  });

export const hasEngine = (() => {
  try {
    execFileSync('dockerd', ['--version']);
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
})();
