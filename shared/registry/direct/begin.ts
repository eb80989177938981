import type { Digest, RepositoryName } from '../../model/image.ts';
import type { RegistryDeps } from '../call.ts';
import { keepContent } from '../content.ts';
import { keepLink } from '../links.ts';
import { admit } from '../quota/admit.ts';
import { dataOf } from '../uploads.ts';
import { type Block, blockSizeFor, blocksOf } from './blocks.ts';
import { type DirectUpload, findDirect, startDirect } from './session.ts';

/** Seconds: a client asks for another when it has ended. */
const URL_LIFE = 3600;

export type DirectParts = Pick<RegistryDeps, 'blobs' | 'tables' | 'policies' | 'now' | 'pause'>;

export type Begun =
  /** The repository has the blob. */
  | { readonly status: 'exists' }
  /** This storage gives nobody a URL: the blob goes through `/v2/`. */
  | { readonly status: 'indirect' }
  | {
      readonly status: 'open';
      readonly id: string;
      readonly url: string;
      /** Those that are not staged yet, in order. */
      readonly missing: readonly Block[];
      readonly blockSize: number;
    };

/**
 * Begins an upload, or goes on with one.
 * @param id of an upload that was begun before; one that is over or of something else is as none
 * @throws RegistryError DENIED if the quota has no room
 */
export async function beginDirect(
  parts: DirectParts,
  asked: { readonly repository: RepositoryName; readonly digest: Digest; readonly size: number },
  id?: string,
): Promise<Begun> {
  const { blobs, tables, now } = parts;
  const { repository, digest, size } = asked;
  const [linked, content] = await Promise.all([
    keepLink(tables, repository, digest, now()),
    keepContent(blobs, digest, now()),
  ]);
  if (linked && content !== undefined) return { status: 'exists' };
  // What it gives is for a transaction; here only the refusal counts, before bytes are sent.
  await admit(parts, repository, size);

  const before = id === undefined ? undefined : await findDirect(blobs, id);
  const isSame =
    before !== undefined &&
    before.repository === repository &&
    before.digest === digest &&
    before.size === size;
  const upload = isSame
    ? before
    : await startDirect(blobs, { repository, digest, size, blockSize: blockSizeFor(size) });
  const url = await blobs.writeUrl(dataOf(upload.id), URL_LIFE);
  if (url === undefined) {
    await blobs.delete(`uploads/${upload.id}`);
    return { status: 'indirect' };
  }
  const missing = upload.verified === undefined ? await missingBlocks(blobs, upload) : [];
  return { status: 'open', id: upload.id, url, missing, blockSize: upload.blockSize };
}

/** Blocks that are neither staged nor part of the blob, which another request may have put together already. */
export async function missingBlocks(
  blobs: DirectParts['blobs'],
  upload: DirectUpload,
): Promise<readonly Block[]> {
  const staged = new Map((await blobs.stagedBlocks(dataOf(upload.id))).map(({ id, size }) => [id, size]));
  const missing = blocksOf(upload).filter(({ id, size }) => staged.get(id) !== size);
  // In this order: what is put together meanwhile is staged no more.
  return missing.length > 0 && (await blobs.head(dataOf(upload.id))) !== undefined ? [] : missing;
}
