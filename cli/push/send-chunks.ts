import { open } from 'node:fs/promises';
import type { Digest } from '../../shared/model/image.ts';
import { partOf, type Region, readFrom } from './region.ts';
import type { Remote } from './remote.ts';

/** Bytes of a request: well below the 100 MB that the Functions host of Azure takes. */
const CHUNK = 16 * 1024 * 1024;
/** A blob up to this size is one request. */
export const SMALL = 4 * 1024 * 1024;

export async function sendWhole(remote: Remote, digest: Digest, bytes: Uint8Array): Promise<void> {
  const path = `/v2/${remote.repository}/blobs/uploads/?digest=${digest}`;
  const headers = { 'content-type': 'application/octet-stream' };
  const answer = await remote.send({ method: 'POST', path, headers, body: bytes });
  if (answer.status !== 201) remote.refuse(answer, `Blob ${digest}`);
}

/**
 * Sends a blob through `/v2/`, chunk after chunk: OCI Distribution 1.1, "Pushing a blob in chunks". A chunk that broke off is
 * gone on with from what the registry has of it.
 * @param begun path of an upload that was begun before
 */
export async function sendChunks(
  remote: Remote,
  digest: Digest,
  region: Region,
  progress: {
    readonly begun: string | undefined;
    /** Told of the upload, so that it can be gone on with later, and of bytes that are there. */
    readonly began: (path: string) => Promise<void>;
    readonly sent: (bytes: number) => void;
  },
): Promise<void> {
  let path = progress.begun;
  let offset = path === undefined ? undefined : await offsetOf(remote, path);
  if (path === undefined || offset === undefined) {
    path = await beginUpload(remote, digest);
    offset = 0;
    await progress.began(path);
  }
  progress.sent(offset);
  const handle = await open(region.file, 'r');
  try {
    while (offset < region.size) {
      const size = Math.min(CHUNK, region.size - offset);
      const answer = await remote.send({
        method: 'PATCH',
        path,
        headers: {
          'content-type': 'application/octet-stream',
          'content-range': `${offset}-${offset + size - 1}`,
        },
        body: await readFrom(handle, partOf(region, offset, size)),
      });
      if (answer.status === 416) {
        // An attempt whose answer was lost counted: go on from what is there.
        const there = await offsetOf(remote, path);
        if (there === undefined || there === offset) return remote.refuse(answer, `Blob ${digest}`);
        progress.sent(there - offset);
        offset = there;
        continue;
      }
      if (answer.status !== 202) remote.refuse(answer, `Blob ${digest}`);
      path = answer.headers.location ?? path;
      offset += size;
      progress.sent(size);
    }
  } finally {
    await handle.close();
  }
  const separator = path.includes('?') ? '&' : '?';
  const answer = await remote.send({ method: 'PUT', path: `${path}${separator}digest=${digest}` });
  if (answer.status !== 201) remote.refuse(answer, `Blob ${digest}`);
}

async function beginUpload(remote: Remote, digest: Digest): Promise<string> {
  const path = `/v2/${remote.repository}/blobs/uploads/`;
  const answer = await remote.send({ method: 'POST', path });
  const location = answer.headers.location;
  if (answer.status !== 202 || location === undefined) return remote.refuse(answer, `Blob ${digest}`);
  return location;
}

/** Bytes that the registry has of an upload; undefined if it is over. */
async function offsetOf(remote: Remote, path: string): Promise<number | undefined> {
  const answer = await remote.send({ method: 'GET', path });
  if (answer.status !== 204) return undefined;
  const last = /^(bytes=)?0-(?<last>\d+)$/.exec(answer.headers.range ?? '')?.groups?.['last'];
  // Nothing and one byte are both written `0-0`; an upload with one byte is not gone on with.
  return last === undefined || last === '0' ? undefined : Number(last) + 1;
}
