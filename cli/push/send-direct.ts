import { open } from 'node:fs/promises';
import { type BegunUpload, beginUpload, commitUpload } from '../../shared/api/routes/direct-uploads.ts';
import type { Digest, RepositoryName } from '../../shared/model/image.ts';
import type { Client } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Http } from './http.ts';
import { partOf, type Region, readFrom } from './region.ts';
import type { Turns } from './turns.ts';

export interface DirectParts {
  readonly client: Client;
  readonly http: Http;
  /** For blocks of all blobs together: each is held while it is sent. */
  readonly turns: Turns;
  /** Buffers that no block is in: they are used again, since they are large and come back late otherwise. */
  readonly buffers: Buffer[];
  readonly signal: AbortSignal;
}

export interface DirectBlob {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly region: Region;
  /** Of an upload that was begun before. */
  readonly id: string | undefined;
}

export interface DirectProgress {
  /** Told of the upload, so that it can be gone on with later; `there`: bytes that are staged already. */
  readonly began: (id: string, there: number) => Promise<void>;
  readonly sent: (bytes: number) => void;
  /** Bytes that the registry has read and checked. */
  readonly checked: (bytes: number) => void;
}

/** A new URL is asked for this often, where the one before has ended. */
const MOST_URLS = 100;

/**
 * Sends a blob's blocks straight to the storage, several at once, and has the registry put them together and check them.
 * @returns `indirect` if that cannot be: the storage gives no URL, or it cannot be reached from here
 * @throws Failure what the registry refuses
 */
export async function sendDirect(
  parts: DirectParts,
  blob: DirectBlob,
  progress: DirectProgress,
): Promise<'sent' | 'exists' | 'indirect'> {
  const { repository, digest, region } = blob;
  const begin = (id: string | undefined): Promise<BegunUpload> =>
    parts.client.call(
      beginUpload,
      { json: { repository, digest, size: region.size, ...(id === undefined ? {} : { id }) } },
      parts.signal,
    );
  let begun = await begin(blob.id);
  if (begun.status !== 'open') return begun.status;
  const missing = begun.missing.reduce((sum, { size }) => sum + size, 0);
  await progress.began(begun.id, region.size - missing);
  for (let urls = 1; begun.missing.length > 0; urls += 1) {
    const outcome = await sendBlocks(parts, begun, region, progress.sent);
    if (outcome === 'unreachable' || urls === MOST_URLS) return 'indirect';
    if (outcome === 'sent') break;
    // The URL has ended.
    const again: BegunUpload = await begin(begun.id);
    if (again.status !== 'open') return again.status;
    begun = again;
  }
  for (;;) {
    const committed = await parts.client.call(
      commitUpload,
      { params: { upload: begun.id }, json: { repository } },
      parts.signal,
    );
    if (committed.status === 'done') return 'sent';
    progress.checked(committed.verified);
  }
}

type Open = Extract<BegunUpload, { status: 'open' }>;

/** @returns `refused` if the URL is good no longer, `unreachable` if the storage is not to be had from here */
async function sendBlocks(
  { http, turns, buffers }: DirectParts,
  { url, missing }: Open,
  region: Region,
  sent: (bytes: number) => void,
): Promise<'sent' | 'refused' | 'unreachable'> {
  const handle = await open(region.file, 'r');
  let outcome: 'sent' | 'refused' | 'unreachable' = 'sent';
  try {
    const sending = missing.map((block) =>
      turns.take(async () => {
        if (outcome !== 'sent') return;
        const to = new URL(url);
        to.searchParams.set('comp', 'block');
        to.searchParams.set('blockid', block.id);
        const body = await readFrom(handle, partOf(region, block.offset, block.size), buffers.pop());
        const answer = await http
          .send({ method: 'PUT', url: to, headers: { 'content-type': 'application/octet-stream' }, body })
          .catch((error: unknown) => {
            if (error instanceof Error && error.name === 'AbortError') throw error;
            return undefined;
          });
        buffers.push(body);
        if (answer === undefined) outcome = 'unreachable';
        else if (answer.status === 403) outcome = 'refused';
        else if (answer.status === 201) sent(block.size);
        else throw unexpected(answer.status, answer.text);
      }),
    );
    await allEnded(sending);
    return outcome;
  } finally {
    await handle.close();
  }
}

/** Throws what the first that failed threw, after all have ended: they read from the same file. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work))
    if (outcome.status === 'rejected') throw outcome.reason;
}

const unexpected = (status: number, text: string): Failure =>
  new Failure({
    code: 'storage-refused',
    message: `The storage answered ${status}: ${/<Code>(\w+)/.exec(text)?.[1] ?? text.slice(0, 200)}`,
    remedy: 'Push again: what is there already is not sent twice; or push with --indirect.',
    exitCode: exitCodes.failed,
  });
