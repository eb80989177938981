import type { Contestant } from './contestant.ts';
import { type Answer, expectStatus, send } from './http-client.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export interface RegistryAt {
  readonly name: string;
  readonly origin: string;
  readonly pid: number;
  /** The Authorization header, where the registry wants one. */
  readonly authorization?: (() => Promise<string>) | undefined;
  stop(): Promise<unknown>;
}

/** A registry as docker pushes to it (POST, one chunked PATCH, an empty PUT) and pulls from it, redirects followed. */
export function registryContestant({ name, origin, pid, authorization, stop }: RegistryAt): Contestant {
  const repository = '/v2/bench/image';
  let headers: Record<string, string> = {};
  const call = (method: string, url: URL, more: Record<string, string> = {}, body?: () => Iterable<Buffer>) =>
    send(method, url, { ...headers, ...more }, body);
  const at = (path: string): URL => new URL(path, origin);
  const nextOf = (answer: Answer): URL => at(answer.headers.location ?? '');

  return {
    name,
    pid,
    async prepare() {
      headers = authorization === undefined ? {} : { authorization: await authorization() };
    },
    async push({ digest, parts }) {
      const begun = await call('POST', at(`${repository}/blobs/uploads/`), { 'content-length': '0' });
      const upload = nextOf(expectStatus(begun, 202, 'POST'));
      const sent = await call('PATCH', upload, { 'content-type': 'application/octet-stream' }, () => parts());
      const end = nextOf(expectStatus(sent, 202, 'PATCH'));
      end.searchParams.set('digest', digest);
      expectStatus(await call('PUT', end, { 'content-length': '0' }), 201, 'PUT');
    },
    async pull({ digest, size }) {
      const first = await call('GET', at(`${repository}/blobs/${digest}`));
      const answer = first.status === 307 ? await send('GET', nextOf(first)) : first;
      expectStatus(answer, 200, 'GET');
      if (answer.size !== size) throw new Error(`${answer.size} bytes came instead of ${size}`);
    },
    async putManifest(tag, manifest) {
      const length = { 'content-type': MANIFEST, 'content-length': String(manifest.length) };
      expectStatus(
        await call('PUT', at(`${repository}/manifests/${tag}`), length, () => [manifest]),
        201,
        'PUT',
      );
    },
    async getManifest(tag) {
      expectStatus(await call('GET', at(`${repository}/manifests/${tag}`), { accept: MANIFEST }), 200, 'GET');
    },
    async stop() {
      await stop();
    },
  };
}
