import { randomBytes } from 'node:crypto';
import type { Handle } from '../../../../infra/registry/exchange.ts';
import type { Access } from '../../../../shared/registry/access.ts';
import { memoryBlobs } from '../../../../shared/state/blobs.memory.ts';
import type { Blobs } from '../../../../shared/state/blobs.ts';
import { memoryTables } from '../../../../shared/state/tables.memory.ts';
import type { Tables } from '../../../../shared/state/tables.ts';
import {
  type Content,
  descriptor,
  type TestImage,
  testImage,
  testIndex,
} from '../../../support/oci-image.ts';
import { ORIGIN } from '../../../support/registry-client.ts';
import { testRegistry, testTokens } from '../../../support/registry-server.ts';
import { dump } from '../../../support/registry-state.ts';

/** A registry, in memory unless it is said where, with something of everything in the repository `a/b`: what a wrong request might damage. */
export interface Stocked {
  readonly handle: Handle;
  readonly image: TestImage;
  readonly index: Content;
  /** Errors that it reported. */
  readonly reports: readonly unknown[];
  /** Begins an upload and gives it a first byte. @returns its id */
  upload(): Promise<string>;
  dump(): Promise<Map<string, string>>;
}

const image = testImage([randomBytes(200), randomBytes(70_000), new Uint8Array(0)]);
const index = testIndex([image]);
const referrer = testImage([], { fields: { subject: descriptor(image.manifest), artifactType: 'x/y' } });

const began = new Date();
// For them no time passes: a run at full figures takes longer than they live.
const tokens = await testTokens(() => began);
const actions: Access['actions'] = ['pull', 'push', 'delete'];
const catalog: Access = { type: 'registry', name: 'catalog', actions: ['*'] };
const issued = new Map<string, string>();

/** A token that gives every right on these, so that nothing is refused for want of one. */
export async function bearer(...repositories: string[]): Promise<string> {
  const key = repositories.join(' ');
  const access = repositories.map((name): Access => ({ type: 'repository', name, actions }));
  const token = issued.get(key) ?? `Bearer ${await tokens.issue('tester', [catalog, ...access], 3600)}`;
  if (issued.size < 1000) issued.set(key, token);
  return token;
}

export async function stocked(
  storage: { blobs: Blobs; tables: Tables } = { blobs: memoryBlobs(), tables: memoryTables() },
): Promise<Stocked> {
  const { handle, reports } = await testRegistry(storage, { tokens });
  const authorization = await bearer('a/b');
  const ask = async (method: string, path: string, body?: Uint8Array, type?: string) => {
    const headers = { authorization, ...(type === undefined ? {} : { 'content-type': type }) };
    const answer = await handle(
      new Request(`${ORIGIN}/v2/a/b/${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
      }),
    );
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const pushBlob = async ({ digest, bytes }: Content) => {
    const location = (await ask('POST', 'blobs/uploads/')).headers.get('location') ?? '';
    await ask('PUT', `${location.replace('/v2/a/b/', '')}?digest=${digest}`, bytes);
  };
  for (const blob of [...image.blobs, ...referrer.blobs]) await pushBlob(blob);
  for (const [reference, { bytes, mediaType }] of [
    ['latest', image.manifest],
    [referrer.manifest.digest, referrer.manifest],
    ['all', index],
  ] as const)
    await ask('PUT', `manifests/${reference}`, bytes, mediaType);
  return {
    handle,
    image,
    index,
    reports,
    async upload() {
      const location = (await ask('POST', 'blobs/uploads/')).headers.get('location') ?? '';
      await ask('PATCH', location.replace('/v2/a/b/', ''), new Uint8Array(10));
      return location.slice(location.lastIndexOf('/') + 1);
    },
    dump: () => dump(storage.blobs, storage.tables),
  };
}
