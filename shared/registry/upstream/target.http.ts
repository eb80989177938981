import type { IncomingMessage } from 'node:http';
import { Digest } from '../../model/image.ts';
import { algorithmOf, digestOfBytes } from '../hashing.ts';
import { MANIFEST_LIMIT, manifestMediaTypes } from '../manifest.ts';
import type { Scope } from './authentication.ts';
import { type Asking, type Connection, faultOf, readAll } from './connection.ts';
import { upstreamWrong } from './faults.ts';
import type { Sendable, Target } from './target.ts';

/** Bytes of one request: registries behind hosts with a limit take this much, and none asks for larger chunks. */
const CHUNK = 32 * 1024 * 1024;
const ACCEPT = manifestMediaTypes.join(', ');
const BYTES = 'application/octet-stream';

/** Writes to the registry of a connection by OCI Distribution 1.1. @param via told to it as our User-Agent */
export function httpTarget({ ask: plainAsk, host }: Connection, via: string): Target {
  const ask = (asking: Asking): Promise<IncomingMessage> =>
    plainAsk({ ...asking, headers: { 'user-agent': via, ...asking.headers } });
  const pushing = (repository: string): Scope => `repository:${repository}:pull,push`;
  const at = (repository: string, reference: string): string =>
    `${host}/${repository}${reference.includes(':') ? '@' : ':'}${reference}`;

  const expect = async (answer: IncomingMessage, status: number, where: string): Promise<IncomingMessage> => {
    if (answer.statusCode !== status) throw await faultOf(answer, where);
    answer.resume();
    return answer;
  };
  /** Where an upload goes on, which each answer says anew. */
  const placeOf = ({ headers: { location = '' } }: IncomingMessage, base: string, where: string): string => {
    if (location === '') throw upstreamWrong(where, 'an upload began, and it does not say where');
    const { href, host: there, pathname, search } = new URL(location, new URL(base, 'http://registry'));
    return there === 'registry' ? `${pathname}${search}` : href;
  };
  const withDigest = (place: string, digest: Digest): string =>
    `${place}${place.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;

  const putBlob = async (repository: string, { digest, size, open }: Sendable): Promise<void> => {
    const where = at(repository, digest);
    const scope = pushing(repository);
    const begin = `/v2/${repository}/blobs/uploads/`;
    const none = { 'content-length': '0' };
    const begun = await ask({ method: 'POST', path: begin, scope, where, headers: none });
    let place = placeOf(await expect(begun, 202, where), begin, where);
    let sent = 0;
    // What fits one request comes with its end.
    while (size - sent > CHUNK) {
      const [from, count] = [sent, CHUNK];
      const answer = await ask({
        method: 'PATCH',
        path: place,
        scope,
        where,
        headers: {
          'content-type': BYTES,
          'content-length': String(count),
          'content-range': `${from}-${from + count - 1}`,
        },
        body: () => open(from, count),
      });
      place = placeOf(await expect(answer, 202, where), place, where);
      sent += count;
    }
    const left = size - sent;
    const headers = {
      'content-type': BYTES,
      'content-length': String(left),
      ...(sent > 0 ? { 'content-range': `${sent}-${size - 1}` } : {}),
    };
    const body = left === 0 ? {} : { body: () => open(sent, left) };
    const ended = await ask({
      method: 'PUT',
      path: withDigest(place, digest),
      scope,
      where,
      headers,
      ...body,
    });
    await expect(ended, 201, where);
  };

  return {
    host,
    putBlob,
    async ping() {
      await expect(await ask({ method: 'GET', path: '/v2/', scope: '', where: host }), 200, host);
    },
    async digestAt(repository, reference) {
      const where = at(repository, reference);
      const asking = { path: `/v2/${repository}/manifests/${reference}`, scope: pushing(repository), where };
      const headers = { accept: ACCEPT };
      const answer = await ask({ ...asking, method: 'HEAD', headers });
      answer.resume();
      if (answer.statusCode === 404) return undefined;
      await expect(answer, 200, where);
      const said = Digest.safeParse(answer.headers['docker-content-digest']).data;
      if (said !== undefined) return said;
      const whole = await ask({ ...asking, method: 'GET', headers });
      if (whole.statusCode !== 200) throw await faultOf(whole, where);
      const bytes = await readAll(whole, MANIFEST_LIMIT, where);
      const asked = Digest.safeParse(reference).data;
      return digestOfBytes(asked === undefined ? 'sha256' : algorithmOf(asked), bytes);
    },
    async hasBlob(repository, digest) {
      const where = at(repository, digest);
      const path = `/v2/${repository}/blobs/${digest}`;
      const answer = await ask({ method: 'HEAD', path, scope: pushing(repository), where });
      answer.resume();
      if (answer.statusCode === 404) return false;
      await expect(answer, 200, where);
      return true;
    },
    async putManifest(repository, reference, mediaType, bytes) {
      const where = at(repository, reference);
      const answer = await ask({
        method: 'PUT',
        path: `/v2/${repository}/manifests/${reference}`,
        scope: pushing(repository),
        where,
        headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
        body: bytes,
      });
      await expect(answer, 201, where);
    },
    async delete(repository, reference) {
      const where = at(repository, reference);
      const path = `/v2/${repository}/manifests/${reference}`;
      const answer = await ask({ method: 'DELETE', path, scope: `repository:${repository}:delete`, where });
      answer.resume();
      if (answer.statusCode === 404) return true;
      // Registries without deletion, and those that delete no tags alone.
      if (answer.statusCode === 405 || answer.statusCode === 400) return false;
      await expect(answer, 202, where);
      return true;
    },
  };
}
