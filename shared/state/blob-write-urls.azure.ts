import { BlockBlobClient, type ContainerClient, RestError } from '@azure/storage-blob';
import type { BlobUrls } from './blob-urls.azure.ts';

/**
 * Makes URLs with the permission `create`: since version 2026-04-06 it covers Put Block, and it changes nothing that is there.
 * https://learn.microsoft.com/rest/api/storageservices/version-2026-04-06
 *
 * The safety of what was uploaded hangs on that, so it is not believed: before the first URL is given away this account is
 * tried, with a blob of its own. Where a holder can change a blob that is there, or break its lease, or where `create` does not
 * cover Put Block, no URL is made.
 */
export function writeUrls(container: ContainerClient, urls: BlobUrls) {
  let trusted: Promise<boolean> | undefined;
  return async (name: string, seconds: number): Promise<string | undefined> => {
    trusted ??= keepsWhatIsThere(container, urls);
    // A trial that could not be made says nothing: the next call makes another.
    trusted.catch(() => {
      trusted = undefined;
    });
    return (await trusted) ? urls(name, seconds, 'create') : undefined;
  };
}

const blockOf = (letter: string): string => Buffer.from(letter).toString('base64');

async function keepsWhatIsThere(container: ContainerClient, urls: BlobUrls): Promise<boolean> {
  await container.createIfNotExists();
  const name = `trial/${crypto.randomUUID()}`;
  const own = container.getBlockBlobClient(name);
  const holder = new BlockBlobClient(await urls(name, 300, 'create'));
  if (await isRefused(holder.stageBlock(blockOf('a'), 'a', 1))) return false;
  await own.commitBlockList([blockOf('a')]);
  const lease = own.getBlobLeaseClient();
  const mustBeRefused = [
    () => holder.upload('b', 1),
    // Staging alone changes nothing, so it may be allowed or not.
    () => holder.stageBlock(blockOf('b'), 'b', 1).then(() => holder.commitBlockList([blockOf('b')])),
    () => holder.setMetadata({ b: 'b' }),
    () => holder.delete(),
    () => holder.getBlobLeaseClient().acquireLease(-1),
    () => lease.acquireLease(-1).then(() => holder.getBlobLeaseClient().breakLease(0)),
  ];
  try {
    for (const attempt of mustBeRefused) if (!(await isRefused(attempt()))) return false;
    return (await own.downloadToBuffer()).toString() === 'a';
  } finally {
    await lease.breakLease(0).catch(() => undefined);
    await own.deleteIfExists({ deleteSnapshots: 'include' });
  }
}

/** @throws what is neither done nor refused for want of a permission */
async function isRefused(attempt: Promise<unknown>): Promise<boolean> {
  try {
    await attempt;
    return false;
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 403) return true;
    throw error;
  }
}
