import type { Digest } from '../../shared/model/image.ts';
import { Failure } from '../failure.ts';
import { bytesText } from '../output.ts';
import type { MemoryFile } from './memory-file.ts';
import type { Line } from './progress.ts';
import { bytesOf, type Region } from './region.ts';
import { hasBlob, mountBlob, type Remote } from './remote.ts';
import { SMALL, sendChunks, sendWhole } from './send-chunks.ts';
import { type DirectParts, sendDirect } from './send-direct.ts';

export interface UploadParts extends DirectParts {
  readonly remote: Remote;
  readonly memory: MemoryFile;
  /** `host:port` of the registry: what is remembered of one is not true of another. */
  readonly registry: string;
  /** Never straight to the storage. */
  readonly indirect: boolean;
}

/** Places that are remembered of a blob. */
const MOST_PLACES = 5;

/** Whether the blob is in the repository, or could be had from another one there. */
export async function isThere(parts: UploadParts, digest: Digest): Promise<'exists' | 'mounted' | 'missing'> {
  if (await hasBlob(parts.remote, digest)) return 'exists';
  for (const place of placesOf(parts.memory, parts.registry, [digest]))
    if (place !== parts.remote.repository && (await mountBlob(parts.remote, digest, place))) return 'mounted';
  return 'missing';
}

/** Brings a blob there in the cheapest way that works, and says on its line which. */
export async function uploadBlob(
  parts: UploadParts,
  digest: Digest,
  region: Region,
  line: Line,
): Promise<'sent' | 'exists' | 'mounted'> {
  const there = await isThere(parts, digest);
  if (there !== 'missing') {
    remember(parts, digest);
    line.end(there === 'exists' ? 'is there already' : 'mounted from another repository');
    return there;
  }
  line.phase('sending', region.size);
  if (region.size <= SMALL) {
    await parts.turns.take(async () => sendWhole(parts.remote, digest, await bytesOf(region)));
    line.end(`sent, ${bytesText(region.size)}`);
  } else if (parts.indirect || !(await straight(parts, digest, region, line)))
    await throughRegistry(parts, digest, region, line);
  remember(parts, digest);
  await parts.memory.save();
  return 'sent';
}

/** @returns false if the storage is not to be reached */
async function straight(parts: UploadParts, digest: Digest, region: Region, line: Line): Promise<boolean> {
  const key = `${keyOf(parts, digest)} direct`;
  const { uploads } = parts.memory.memory;
  let before = 0;
  const outcome = await sendDirect(
    parts,
    { repository: parts.remote.repository, digest, region, id: uploads[key] || undefined },
    {
      async began(id, there) {
        before = there;
        line.add(there);
        uploads[key] = id;
        await parts.memory.save();
      },
      sent: (bytes) => line.add(bytes),
      checked(bytes) {
        line.phase('being checked', region.size);
        line.set(bytes);
      },
    },
  );
  uploads[key] = '';
  if (outcome === 'indirect') return false;
  const again = before === 0 ? '' : `, of which ${bytesText(before)} were there`;
  line.end(`sent straight to the storage, ${bytesText(region.size)}${again}`);
  return true;
}

async function throughRegistry(
  parts: UploadParts,
  digest: Digest,
  region: Region,
  line: Line,
): Promise<void> {
  const key = keyOf(parts, digest);
  const { uploads } = parts.memory.memory;
  for (;;) {
    const begun = uploads[key] || undefined;
    try {
      const before = await chunks(parts, digest, region, line, begun);
      uploads[key] = '';
      const again = before === 0 ? '' : `, of which ${bytesText(before)} were there`;
      line.end(`sent, ${bytesText(region.size)}${again}`);
      return;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'digest-invalid') throw error;
      // It holds other content, a file that was mended since for one: nothing could end it any more.
      const path = uploads[key] ?? '';
      uploads[key] = '';
      await parts.memory.save();
      await parts.remote.send({ method: 'DELETE', path });
      if (begun === undefined) throw error;
    }
  }
}

/** @returns bytes that were there of an upload that was begun before */
async function chunks(
  parts: UploadParts,
  digest: Digest,
  region: Region,
  line: Line,
  begun: string | undefined,
): Promise<number> {
  let before = 0;
  line.phase('sending', region.size);
  await sendChunks(parts.remote, digest, region, {
    begun,
    async began(path) {
      parts.memory.memory.uploads[keyOf(parts, digest)] = path;
      await parts.memory.save();
    },
    sent(bytes) {
      if (begun !== undefined && before === 0) before = bytes;
      line.add(bytes);
    },
  });
  return before;
}

const keyOf = ({ registry, remote }: UploadParts, digest: Digest): string =>
  `${registry}/${remote.repository} ${digest}`;

/** Repositories of a registry that are known to have one of these blobs, or what a layer becomes. */
export function placesOf(
  { memory }: MemoryFile,
  registry: string,
  digests: readonly string[],
): readonly string[] {
  const all = digests.flatMap((digest) => memory.places[`${registry} ${digest}`] ?? []);
  return [...new Set(all)].slice(0, MOST_PLACES);
}

function remember({ memory, registry, remote }: UploadParts, digest: Digest): void {
  const key = `${registry} ${digest}`;
  const known = (memory.memory.places[key] ?? []).filter((place) => place !== remote.repository);
  memory.memory.places[key] = [remote.repository, ...known].slice(0, MOST_PLACES);
}
