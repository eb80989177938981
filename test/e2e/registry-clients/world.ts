import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { PolicyName } from '../../../shared/model/names.ts';
import { BLOCK } from '../../../shared/registry/block-buffers.ts';
import { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';
import { policyStore } from '../../../shared/registry/policy/policy-store.ts';
import { azureTables } from '../../../shared/state/tables.azure.ts';
import { type ClientName, clientProgram } from '../../support/client-program.ts';
import { type LoneRegistry, startLoneRegistry } from '../../support/lone-registry.ts';
import {
  type Content,
  content,
  sha256,
  type TestImage,
  testImage,
  testIndex,
  writeLayout,
} from '../../support/oci-image.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { isRoot, run } from '../../support/tool.ts';

/** The registry as a process of its own on Azurite, where `public/**` is for everybody, and content to push: all over HTTP. */
export interface World {
  readonly directory: string;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly key: string;
  /** For clients written in Go: whom to trust where a pull is redirected to storage. */
  readonly trust: Readonly<Record<string, string>>;
  /** Two platforms; a layer of several blocks in the first, a common one in both. */
  readonly images: readonly TestImage[];
  readonly index: Content;
  /** An OCI layout of the index, tagged `all`. */
  readonly layout: string;
  /** The manifest that the registry has under a tag or digest, byte for byte; undefined if it has none. */
  manifest(repository: string, reference: string): Promise<Content | undefined>;
  tags(repository: string): Promise<string[]>;
  close(): Promise<void>;
}

/** More than one block of the registry, so that pulls are redirected to storage. */
const LARGE = 2 * BLOCK + 12_345;

export async function startWorld(): Promise<World> {
  // In lower case and short: podman makes a reference of a layout's path, and wants its own within 50 characters.
  const directory = join(tmpdir(), `clients-${randomBytes(6).toString('hex')}`);
  await mkdir(directory);
  const storage: TestStorage = await startTestStorage();
  const tables = azureTables(storage.tableUri, storage.credential);
  await policyStore(tables, () => new Date()).put(
    PolicyName.parse('public'),
    RepositoryPolicy.parse({ repositories: 'public/**', anonymousPull: true }),
  );
  const registry: LoneRegistry = await startLoneRegistry(storage);
  const shared = await layerOf(directory, { 'etc/shared': randomBytes(20_000) });
  const images = [
    testImage([shared, await layerOf(directory, { large: randomBytes(LARGE), run: Buffer.from('amd64') })]),
    testImage([shared, await layerOf(directory, { run: Buffer.from('arm64') })]),
  ];
  const index = testIndex(images);
  const layout = join(directory, 'layout');
  await writeLayout(
    layout,
    index,
    images.flatMap(({ blobs, manifest }) => [...blobs, manifest]),
    'all',
  );
  const ask = async (repository: string, path: string, accept = '*/*') => {
    const token = await fetch(`http://${registry.host}/v2/token?scope=repository:${repository}:pull`, {
      headers: { authorization: `Basic ${btoa(`x:${registry.adminKey}`)}` },
    });
    const { token: bearer } = (await token.json()) as { token: string };
    const headers = { authorization: `Bearer ${bearer}`, accept };
    return fetch(`http://${registry.host}/v2/${repository}/${path}`, { headers });
  };
  return {
    directory,
    host: registry.host,
    key: registry.adminKey,
    trust: { SSL_CERT_FILE: storage.environment['NODE_EXTRA_CA_CERTS'] ?? '' },
    images,
    index,
    layout,
    async manifest(repository, reference) {
      const answer = await ask(repository, `manifests/${reference}`);
      if (!answer.ok) return undefined;
      return content(answer.headers.get('content-type') ?? '', Buffer.from(await answer.arrayBuffer()));
    },
    tags: async (repository) =>
      ((await (await ask(repository, 'tags/list')).json()) as { tags: string[] }).tags,
    async close() {
      await registry.stop();
      await storage.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A layer that engines unpack: a tar of these files. */
async function layerOf(directory: string, files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const root = await mkdtemp(join(directory, 'root-'));
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), bytes);
  }
  await run('tar', ['-C', root, '-cf', `${root}.tar`, '.']);
  return readFile(`${root}.tar`);
}

/** Of the blobs in an OCI layout that a client wrote: those whose bytes are not what their names say, or not there. */
export async function damaged(layout: string, wanted: readonly Content[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { digest } of wanted) {
    const bytes = await readFile(join(layout, 'blobs', ...digest.split(':'))).catch(() => undefined);
    if (bytes === undefined || sha256(bytes) !== digest) wrong.push(digest);
  }
  return wrong;
}

/** Tests of one client, skipped by name with the reason where it cannot be had. */
export async function describeClient(
  name: ClientName,
  needsRoot: boolean,
  tests: (program: string) => void,
): Promise<void> {
  const found = needsRoot && !isRoot ? { missing: 'needs root' } : await clientProgram(name);
  if ('missing' in found) describe.skip(`${name} (${found.missing})`, () => tests(name));
  else describe(name, () => tests(found.path));
}
