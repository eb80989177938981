import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { RepositoryName } from '../model/image.ts';
import { BlobConflict, type Blobs } from '../state/blobs.ts';
import { RegistryError } from './errors.ts';
import { partsOf, uploadsOf } from './upload-memory.ts';

/** What is known of the bytes that an upload holds so far. */
const HashState = z.discriminatedUnion('kind', [
  /** Digest of all of them, made in one request; it cannot be gone on with. */
  z.object({ kind: z.literal('digest'), digest: z.string() }),
  /** State to go on from. */
  z.object({ kind: z.literal('state'), state: z.string() }),
  /** Nothing: the content is read once when the upload ends. */
  z.object({ kind: z.literal('unknown') }),
]);

const Session = z.object({
  repository: RepositoryName,
  algorithm: z.enum(['sha256', 'sha512']),
  /** Bytes received. */
  offset: z.number().int().nonnegative(),
  blockIds: z.array(z.string()),
  hash: HashState,
});
type Session = z.infer<typeof Session>;
export type Upload = Session & { readonly id: string; readonly etag: string };

const nameOf = (id: string): string => `uploads/${id}`;
export const dataOf = (id: string): string => `data/${id}`;

export async function startUpload(
  blobs: Blobs,
  repository: RepositoryName,
  algorithm: Session['algorithm'],
): Promise<Upload> {
  const session: Session = { repository, algorithm, offset: 0, blockIds: [], hash: { kind: 'unknown' } };
  const id = randomUUID();
  const { etag } = await blobs.put(nameOf(id), bytesOf(session), { ifNoneMatch: '*' });
  const upload = { ...session, id, etag };
  uploadsOf(blobs).keep(upload);
  return upload;
}

/**
 * @param reference last part of the upload's address: see `referenceTo`
 * @throws RegistryError BLOB_UPLOAD_UNKNOWN if there is no such upload in the repository
 */
export async function findUpload(
  blobs: Blobs,
  repository: RepositoryName,
  reference: string,
): Promise<Upload> {
  const { id, version } = partsOf(reference);
  const known = version === undefined ? undefined : uploadsOf(blobs).find(id, version);
  return known?.repository === repository ? known : readUpload(blobs, repository, id);
}

/** Reads it from storage. @throws RegistryError BLOB_UPLOAD_UNKNOWN */
export async function readUpload(blobs: Blobs, repository: RepositoryName, id: string): Promise<Upload> {
  const found = z.uuid().safeParse(id).success ? await blobs.read(nameOf(id)) : undefined;
  // Direct uploads (`direct/`) lie here too, and are none of these.
  const session = found && Session.safeParse(JSON.parse(new TextDecoder().decode(found.bytes))).data;
  if (found === undefined || session?.repository !== repository)
    throw new RegistryError(
      'BLOB_UPLOAD_UNKNOWN',
      `there is no upload ${id} in ${repository}: it ended, was cancelled or never began`,
    );
  return { ...session, id, etag: found.info.etag };
}

/** @returns undefined if the upload has changed since it was read: another request was faster */
export async function saveUpload(
  blobs: Blobs,
  { id, etag, ...session }: Upload,
): Promise<Upload | undefined> {
  try {
    const info = await blobs.put(nameOf(id), bytesOf(session), { ifMatch: etag });
    const upload = { ...session, id, etag: info.etag };
    uploadsOf(blobs).keep(upload);
    return upload;
  } catch (error) {
    uploadsOf(blobs).forget(id);
    if (error instanceof BlobConflict) return undefined;
    throw error;
  }
}

/** Staged blocks without a session expire by themselves. */
export async function endUpload(blobs: Blobs, id: string): Promise<void> {
  uploadsOf(blobs).forget(id);
  await blobs.delete(nameOf(id));
}

const bytesOf = (session: Session): Uint8Array => new TextEncoder().encode(JSON.stringify(session));
