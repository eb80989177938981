import type { Content, TestImage } from './oci-image.ts';

/** A registry client over the handler, with the key of one role. */
export interface RegistryClient {
  /** One request with a token for the scopes that the answer to the first attempt asks for. */
  request(method: string, path: string, init?: RequestInit): Promise<Response>;
  pushBlob(repository: string, content: Content): Promise<Response>;
  pushManifest(repository: string, reference: string, manifest: Content): Promise<Response>;
  pushImage(repository: string, tag: string, image: TestImage): Promise<Response>;
}

export const ORIGIN = 'https://registry.test';

export function registryClient(
  handle: (request: Request) => Promise<Response>,
  role = 'operator',
): RegistryClient {
  const client: RegistryClient = {
    async request(method, path, init = {}) {
      const probe = await handle(new Request(`${ORIGIN}${path}`, { method }));
      const challenge = probe.headers.get('www-authenticate') ?? '';
      const scopes = /scope="(?<scopes>[^"]*)"/.exec(challenge)?.groups?.scopes ?? '';
      const answer = await handle(
        new Request(`${ORIGIN}/v2/token?service=berth&scope=${encodeURIComponent(scopes)}`, {
          headers: { authorization: `Basic ${btoa(`x:${role}-key`)}` },
        }),
      );
      const { token } = (await answer.json()) as { token: string };
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${token}`);
      return handle(new Request(`${ORIGIN}${path}`, { ...init, method, headers, duplex: 'half' }));
    },
    pushBlob: (repository, { digest, bytes }) =>
      client.request('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
        body: bytes as Uint8Array<ArrayBuffer>,
        headers: { 'content-length': String(bytes.length) },
      }),
    pushManifest: (repository, reference, { mediaType, bytes }) =>
      client.request('PUT', `/v2/${repository}/manifests/${reference}`, {
        body: bytes as Uint8Array<ArrayBuffer>,
        headers: { 'content-type': mediaType },
      }),
    async pushImage(repository, tag, { blobs, manifest }) {
      for (const blob of blobs) await client.pushBlob(repository, blob);
      return client.pushManifest(repository, tag, manifest);
    },
  };
  return client;
}
