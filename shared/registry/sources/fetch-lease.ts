import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Digest } from '../../model/image.ts';
import { BlobConflict, type Blobs } from '../../state/blobs.ts';
import { pathOf } from '../hashing.ts';

/** Milliseconds that a lease counts unless it is renewed: what a process that died leaves blocks others for so long. */
const LIFE = 30_000;
const RENEWED_EVERY = 8_000;

const Lease = z.object({ owner: z.string(), until: z.iso.datetime() });

/** A right to fetch that nobody else has; two at once do no harm but fetch twice. */
export interface HeldLease {
  release(): Promise<void>;
}

/** Among the uploads: those of which nobody has heard for a week are removed. */
const nameOf = (digest: Digest): string => `uploads/fetches/${pathOf(digest)}`;

/** @returns undefined if somebody else fetches this content now */
export async function takeLease(
  blobs: Blobs,
  digest: Digest,
  now: () => Date,
): Promise<HeldLease | undefined> {
  const owner = randomUUID();
  const document = () =>
    new TextEncoder().encode(
      JSON.stringify({ owner, until: new Date(now().getTime() + LIFE).toISOString() }),
    );
  const write = async (
    condition: { ifMatch: string } | { ifNoneMatch: '*' },
  ): Promise<string | undefined> => {
    try {
      return (await blobs.put(nameOf(digest), document(), condition)).etag;
    } catch (error) {
      if (error instanceof BlobConflict) return undefined;
      throw error;
    }
  };
  let etag = await write({ ifNoneMatch: '*' });
  if (etag === undefined) {
    const found = await blobs.read(nameOf(digest));
    if (found !== undefined && Date.parse(untilOf(found.bytes)) > now().getTime()) return undefined;
    etag = await write(found === undefined ? { ifNoneMatch: '*' } : { ifMatch: found.info.etag });
  }
  if (etag === undefined) return undefined;

  let held = etag;
  let renewing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewing = renewing
      .then(async () => {
        held = (await write({ ifMatch: held })) ?? held;
      })
      // A lease that cannot be renewed ends by itself; the fetch goes on.
      .catch(() => {});
  }, RENEWED_EVERY);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      await renewing;
      try {
        await blobs.delete(nameOf(digest), { ifMatch: held });
      } catch (error) {
        // It expired, and is another's by now.
        if (!(error instanceof BlobConflict)) throw error;
      }
    },
  };
}

/** What cannot be read is over. */
function untilOf(bytes: Uint8Array): string {
  try {
    return Lease.parse(JSON.parse(new TextDecoder().decode(bytes))).until;
  } catch {
    return new Date(0).toISOString();
  }
}
