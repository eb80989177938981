import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { Digest } from '../../model/image.ts';
import { algorithmOf, digestOfBytes } from '../hashing.ts';
import { MANIFEST_LIMIT, manifestMediaTypes } from '../manifest.ts';
import { type Connection, faultOf, readAll } from './connection.ts';
import { upstreamDown, upstreamWrong, whyOf } from './faults.ts';
import { linkedPath } from './linked-path.ts';
import { ForeignDescriptor, type Upstream } from './upstream.ts';

const ACCEPT = manifestMediaTypes.join(', ');
/** Times in a row that a blob which breaks off is gone on with, without a byte in between. */
const RESUMED = 3;
/** Pages of tags or referrers that are read of one listing. */
const MOST_PAGES = 1000;

/** Reads the registry of a connection by OCI Distribution 1.1. */
export function httpUpstream({ ask, host }: Connection): Upstream {
  const get = (
    method: 'GET' | 'HEAD',
    repository: string,
    path: string,
    headers: Record<string, string>,
    what: string,
  ) =>
    ask({
      method,
      path,
      scope: `repository:${repository}:pull`,
      where: `${host}/${repository}${what}`,
      headers,
    });
  const at = (reference: string): string => (reference.includes(':') ? `@${reference}` : `:${reference}`);
  const manifestPath = (repository: string, reference: string) => `/v2/${repository}/manifests/${reference}`;

  const openBlob = async (repository: string, digest: Digest, from: number): Promise<IncomingMessage> => {
    const range: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
    const answer = await get('GET', repository, `/v2/${repository}/blobs/${digest}`, range, `@${digest}`);
    if (answer.statusCode === (from === 0 ? 200 : 206)) return answer;
    throw await faultOf(answer, `${host}/${repository}@${digest}`);
  };

  const upstream: Upstream = {
    host,
    async ping() {
      const answer = await ask({ method: 'GET', path: '/v2/', scope: '', where: host });
      if (answer.statusCode !== 200) throw await faultOf(answer, host);
      answer.resume();
    },
    async head(repository, reference) {
      const path = manifestPath(repository, reference);
      const answer = await get('HEAD', repository, path, { accept: ACCEPT }, at(reference));
      if (answer.statusCode !== 200) throw await faultOf(answer, `${host}/${repository}${at(reference)}`);
      answer.resume();
      return { digest: Digest.safeParse(answer.headers['docker-content-digest']).data };
    },
    async manifest(repository, reference) {
      const where = `${host}/${repository}${at(reference)}`;
      const answer = await get(
        'GET',
        repository,
        manifestPath(repository, reference),
        { accept: ACCEPT },
        at(reference),
      );
      if (answer.statusCode !== 200) throw await faultOf(answer, where);
      const mediaType = answer.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
      if (!(manifestMediaTypes as readonly string[]).includes(mediaType)) {
        answer.destroy();
        throw upstreamWrong(
          where,
          `its media type is ${mediaType || 'none'}; expected ${manifestMediaTypes.join(' or ')}`,
        );
      }
      const bytes = await readAll(answer, MANIFEST_LIMIT, where);
      const named = Digest.safeParse(
        reference.includes(':') ? reference : answer.headers['docker-content-digest'],
      ).data;
      const digest = digestOfBytes(named === undefined ? 'sha256' : algorithmOf(named), bytes);
      if (named !== undefined && named !== digest)
        throw upstreamWrong(where, `the manifest that came has the digest ${digest}, not ${named}`);
      return { digest, mediaType, bytes };
    },
    async blob(repository, digest) {
      const first = await openBlob(repository, digest, 0);
      const length = first.headers['content-length'];
      const size = length === undefined ? undefined : Number(length);
      const where = `${host}/${repository}@${digest}`;
      const body = Readable.from(
        goneOn(first, size, where, (from) => openBlob(repository, digest, from)),
        {
          objectMode: false,
        },
      );
      return { size, body };
    },
    async hasBlob(repository, digest) {
      // Not HEAD: there are registries that answer it with a challenge, whatever token it carries.
      const path = `/v2/${repository}/blobs/${digest}`;
      const answer = await get('GET', repository, path, { range: 'bytes=0-0' }, `@${digest}`);
      if (answer.statusCode === 404) {
        answer.resume();
        return false;
      }
      // Empty content has no first byte: 416.
      if (![200, 206, 416].includes(answer.statusCode ?? 0))
        throw await faultOf(answer, `${host}/${repository}@${digest}`);
      answer.destroy();
      return true;
    },
    async *tags(repository) {
      const where = `${host}/${repository}, its tags`;
      let path: string | undefined = `/v2/${repository}/tags/list?n=1000`;
      for (let page = 0; path !== undefined && page < MOST_PAGES; page += 1) {
        const answer = await get('GET', repository, path, { accept: 'application/json' }, ', its tags');
        if (answer.statusCode !== 200) throw await faultOf(answer, where);
        path = linkedPath(answer.headers.link, path, where);
        const { tags } = parse(Tags, await readAll(answer, MANIFEST_LIMIT, where), where);
        yield* tags ?? [];
      }
    },
    async referrers(repository, subject) {
      const where = `${host}/${repository}@${subject}, what refers to it`;
      const found: ForeignDescriptor[] = [];
      let path: string | undefined = `/v2/${repository}/referrers/${subject}`;
      for (let page = 0; path !== undefined && page < MOST_PAGES; page += 1) {
        const answer = await get(
          'GET',
          repository,
          path,
          { accept: ACCEPT },
          `@${subject}, what refers to it`,
        );
        if (answer.statusCode !== 200) {
          if (page > 0 || answer.statusCode !== 404) throw await faultOf(answer, where);
          answer.resume();
          return byTagScheme(upstream, repository, subject, where);
        }
        path = linkedPath(answer.headers.link, path, where);
        found.push(...parse(Index, await readAll(answer, MANIFEST_LIMIT, where), where).manifests);
      }
      return found;
    },
  };
  return upstream;
}

const Tags = z.object({ tags: z.array(z.string()).nullish() });
const Index = z.object({ manifests: z.array(ForeignDescriptor) });

/** OCI Distribution 1.1, "Referrers Tag Schema": an index under a tag that is made of the digest. */
async function byTagScheme(
  upstream: Upstream,
  repository: string,
  subject: Digest,
  where: string,
): Promise<readonly ForeignDescriptor[]> {
  const [algorithm = '', hex = ''] = subject.split(':');
  try {
    const { bytes } = await upstream.manifest(repository, `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`);
    return parse(Index, bytes, where).manifests;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'upstream-not-found') return [];
    throw error;
  }
}

function parse<T>(schema: z.ZodType<T>, bytes: Uint8Array, where: string): T {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw upstreamWrong(
      where,
      `the answer is not what OCI Distribution has: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** The bytes of an answer; one that breaks off is asked for the rest. */
async function* goneOn(
  first: IncomingMessage,
  size: number | undefined,
  where: string,
  open: (from: number) => Promise<IncomingMessage>,
): AsyncGenerator<Uint8Array> {
  let answer = first;
  let at = 0;
  for (let failures = 0; ; ) {
    let why: unknown;
    try {
      for await (const part of answer as AsyncIterable<Uint8Array>) {
        at += part.length;
        failures = 0;
        yield part;
      }
      if (size === undefined || at >= size) return;
      why = new Error(`it ended after ${at} of ${size} bytes`);
    } catch (error) {
      why = error;
    }
    failures += 1;
    if (failures > RESUMED || size === undefined)
      throw upstreamDown(where, `the content broke off: ${whyOf(why)}`, why);
    answer = await open(at);
  }
}
