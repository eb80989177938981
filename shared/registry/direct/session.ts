import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Digest, RepositoryName } from '../../model/image.ts';
import { BlobConflict, type Blobs } from '../../state/blobs.ts';

const Session = z.object({
  kind: z.literal('direct'),
  repository: RepositoryName,
  digest: Digest,
  /** Bytes of the whole. */
  size: z.number().int().positive(),
  /** Bytes of each block but the last. */
  blockSize: z.number().int().positive(),
  /** Metadata of the blob that the registry put together: a blob that the client made itself does not have it. */
  mark: z.uuid(),
  /** Bytes of the sealed blob that were read; absent until it is sealed. */
  verified: z.number().int().nonnegative().optional(),
  /** State of the hash over those bytes. */
  hash: z.string().optional(),
});
type Session = z.infer<typeof Session>;
export type DirectUpload = Session & { readonly id: string; readonly etag: string };

const nameOf = (id: string): string => `uploads/${id}`;
const bytesOf = (session: Session): Uint8Array => new TextEncoder().encode(JSON.stringify(session));

export async function startDirect(
  blobs: Blobs,
  session: Pick<Session, 'repository' | 'digest' | 'size' | 'blockSize'>,
): Promise<DirectUpload> {
  const whole: Session = { kind: 'direct', mark: randomUUID(), ...session };
  const id = randomUUID();
  const { etag } = await blobs.put(nameOf(id), bytesOf(whole), { ifNoneMatch: '*' });
  return { ...whole, id, etag };
}

/** @returns undefined if there is no such upload, or it is none of this kind */
export async function findDirect(blobs: Blobs, id: string): Promise<DirectUpload | undefined> {
  const found = z.uuid().safeParse(id).success ? await blobs.read(nameOf(id)) : undefined;
  const session = found && Session.safeParse(JSON.parse(new TextDecoder().decode(found.bytes))).data;
  return found && session && { ...session, id, etag: found.info.etag };
}

/** @returns undefined if another request was faster */
export async function saveDirect(
  blobs: Blobs,
  { id, etag, ...session }: DirectUpload,
): Promise<DirectUpload | undefined> {
  try {
    const info = await blobs.put(nameOf(id), bytesOf(session), { ifMatch: etag });
    return { ...session, id, etag: info.etag };
  } catch (error) {
    if (error instanceof BlobConflict) return undefined;
    throw error;
  }
}
