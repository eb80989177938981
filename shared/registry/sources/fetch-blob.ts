import { randomUUID } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest, RepositoryName } from '../../model/image.ts';
import type { RegistryDeps } from '../call.ts';
import { keepContent } from '../content.ts';
import { finish } from '../finish.ts';
import { algorithmOf } from '../hashing.ts';
import { linkBlob } from '../links.ts';
import { upstreamMissing, upstreamWrong } from '../upstream/faults.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { takeLease } from './fetch-lease.ts';

/** Bytes of one blob that are taken from another registry, whatever it says: 256 GiB. */
const LIMIT = 256 * 1024 ** 3;
/** Milliseconds between looks at what another process is fetching. */
const LOOK_EVERY = 250;

export interface BlobFetch {
  readonly from: Upstream;
  /** As the upstream calls it. */
  readonly name: string;
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/**
 * Makes a blob of another registry part of a repository of ours. It streams into storage in blocks and is hashed on its way;
 * one that is stored already is not fetched, once the upstream said that it has it. Of all processes one fetches.
 * @returns bytes that were fetched, 0 if the content was there
 * @throws what Upstream throws; Terminal `upstream-answer-invalid` if the content is not that of the digest: then nothing is stored
 */
export async function fetchBlob(
  deps: Pick<RegistryDeps, 'blobs' | 'tables' | 'policies' | 'now'>,
  { from, name, repository, digest }: BlobFetch,
): Promise<number> {
  const { blobs, now } = deps;
  for (;;) {
    const there = await keepContent(blobs, digest, now());
    if (there !== undefined) {
      // Who merely knows a digest gets no content of other repositories for it.
      if (!(await from.hasBlob(name, digest))) throw upstreamMissing(`${from.host}/${name}@${digest}`, '');
      await linkBlob(deps, repository, digest, there.size);
      return 0;
    }
    const lease = await takeLease(blobs, digest, now);
    if (lease === undefined) {
      await sleep(LOOK_EVERY);
      continue;
    }
    try {
      const size = await receiveFrom(deps, from, name, digest);
      await linkBlob(deps, repository, digest, size);
      return size;
    } finally {
      await lease.release();
    }
  }
}

async function receiveFrom(
  { blobs, now }: Pick<RegistryDeps, 'blobs' | 'now'>,
  from: Upstream,
  name: string,
  digest: Digest,
): Promise<number> {
  const where = `${from.host}/${name}@${digest}`;
  const { body } = await from.blob(name, digest);
  let failure: unknown;
  let size = 0;
  const counted = new Transform({
    transform(part: Uint8Array, _encoding, done) {
      size += part.length;
      done(size > LIMIT ? upstreamWrong(where, `it is larger than ${LIMIT} bytes`) : null, part);
    },
  });
  // `finish` says that a body broke off; why it did is known here.
  body.once('error', (error) => counted.destroy(error));
  counted.once('error', (error) => {
    failure ??= error;
  });
  const upload = {
    id: randomUUID(),
    etag: '',
    repository: '' as RepositoryName,
    algorithm: algorithmOf(digest),
    offset: 0,
    blockIds: [],
    hash: { kind: 'unknown' as const },
  };
  try {
    const bytes = Readable.toWeb(body.pipe(counted)) as Request['body'];
    const { size: whole, claim } = await finish(blobs, upload, bytes, digest, now());
    await claim();
    return whole;
  } catch (error) {
    if (failure !== undefined) throw failure;
    if ((error as { code?: unknown }).code === 'DIGEST_INVALID')
      throw upstreamWrong(where, error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    body.destroy();
    counted.destroy();
  }
}
