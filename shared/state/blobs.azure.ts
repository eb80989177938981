import { createHash, getFips } from 'node:crypto';
import { Readable } from 'node:stream';
import type { TokenCredential } from '@azure/identity';
import {
  type BlobRequestConditions,
  BlobServiceClient,
  type ContainerClient,
  RestError,
} from '@azure/storage-blob';
import { blobUrls } from './blob-urls.azure.ts';
import { writeUrls } from './blob-write-urls.azure.ts';
import { BlobConflict, type BlobInfo, type Blobs, BlocksGone, type Condition, type Slice } from './blobs.ts';

/** Blobs of a page. */
const PAGE = 1000;

/**
 * A container of a storage account, reached with a managed identity.
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 * @param uri the blob endpoint, for example `https://account.blob.core.windows.net`
 */
export function azureBlobs(uri: string, container: string, credential: TokenCredential): Blobs {
  const service = new BlobServiceClient(uri, credential);
  const client = service.getContainerClient(container);
  const blobOf = (name: string) => client.getBlockBlobClient(name);
  const urls = blobUrls(service, client);
  /** A sealed blob is opened by its owner. */
  const opening = async <T>(name: string, attempt: () => Promise<T>): Promise<T> => {
    try {
      return await attempt();
    } catch (error) {
      if (!isRest(error) || error.code !== 'LeaseIdMissing') throw error;
      await blobOf(name).getBlobLeaseClient().breakLease(0);
      return attempt();
    }
  };

  const head = async (name: string): Promise<BlobInfo | undefined> => {
    const found = await ifThere(blobOf(name).getProperties());
    return found && infoOf(name, found, found.contentLength);
  };
  return {
    head,
    async read(name) {
      const found = await ifThere(blobOf(name).download());
      if (found === undefined) return undefined;
      const bytes = await bytesOf(found.readableStreamBody);
      return { info: infoOf(name, found, bytes.length), bytes };
    },
    async open(name, { offset, count }: Slice = { offset: 0 }) {
      const found = await ifThere(blobOf(name).download(offset, count)).catch((error: unknown) => {
        if (isRest(error) && error.statusCode === 416) throw beyond(name, offset);
        throw error;
      });
      if (found === undefined) return undefined;
      const total = Number(/\/(\d+)$/.exec(found.contentRange ?? '')?.[1] ?? found.contentLength);
      const body = found.readableStreamBody ?? Readable.from([]);
      const stream = body instanceof Readable ? body : Readable.from(body);
      if (offset > 0 && offset >= total) {
        stream.destroy();
        throw beyond(name, offset);
      }
      return { info: infoOf(name, found, total), stream };
    },
    async put(name, bytes, { metadata, ...condition } = {}) {
      const answer = await write(client, name, () =>
        blobOf(name).upload(bytes, bytes.length, {
          ...withMetadata(metadata),
          conditions: toAzure(condition),
        }),
      );
      return { name, size: bytes.length, metadata: metadata ?? {}, ...versionOf(answer) };
    },
    async stageBlock(name, blockId, bytes) {
      const checksum = checksumOf(bytes);
      await write(client, name, () =>
        blobOf(name).stageBlock(blockId, bodyOf(bytes), bytes.length, checksum),
      );
    },
    async commitBlocks(name, blockIds, { metadata, ...condition } = {}) {
      const answer = await write(client, name, () =>
        blobOf(name).commitBlockList([...blockIds], {
          ...withMetadata(metadata),
          conditions: toAzure(condition),
        }),
      ).catch((error: unknown) => {
        throw isRest(error) && error.code === 'InvalidBlockList'
          ? new BlocksGone(`${name}: ${error.code}`)
          : error;
      });
      return { name, metadata: metadata ?? {}, ...versionOf(answer) };
    },
    async setMetadata(name, metadata, condition = {}) {
      try {
        const answer = await opening(name, () =>
          blobOf(name).setMetadata(metadata, { conditions: toAzure(condition) }),
        );
        return { name, metadata, ...versionOf(answer) };
      } catch (error) {
        throw isMissing(error) ? new BlobConflict(`${name}: there is no such blob`) : conflictOr(error, name);
      }
    },
    async delete(name, condition = {}) {
      // Snapshots are of no use to anybody here, and would keep the blob: who may create it may make some.
      const answer = await ifThere(
        opening(name, () =>
          blobOf(name).delete({ conditions: toAzure(condition), deleteSnapshots: 'include' }),
        ),
      ).catch((error: unknown) => {
        throw conflictOr(error, name);
      });
      return answer !== undefined;
    },
    async *list(prefix) {
      try {
        for await (const { name, properties, metadata } of client.listBlobsFlat({
          prefix,
          includeMetadata: true,
        }))
          yield infoOf(name, { ...properties, metadata }, properties.contentLength);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
    async page(prefix, from) {
      try {
        const pages = client
          .listBlobsFlat({ prefix, includeMetadata: true })
          .byPage({ maxPageSize: PAGE, ...(from === undefined ? {} : { continuationToken: from }) });
        for await (const { segment, continuationToken } of pages)
          return {
            blobs: segment.blobItems.map(({ name, properties, metadata }) =>
              infoOf(name, { ...properties, metadata }, properties.contentLength),
            ),
            ...(continuationToken ? { next: continuationToken } : {}),
          };
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      return { blobs: [] };
    },
    readUrl: (name, seconds) => urls(name, seconds, 'read'),
    writeUrl: writeUrls(client, urls),
    async stagedBlocks(name) {
      const found = await ifThere(blobOf(name).getBlockList('uncommitted'));
      return (found?.uncommittedBlocks ?? []).map(({ name: id, size }) => ({ id, size }));
    },
    async seal(name) {
      try {
        await blobOf(name).getBlobLeaseClient().acquireLease(-1);
      } catch (error) {
        if (isMissing(error)) throw new BlobConflict(`${name}: there is no such blob`);
        if (!isRest(error) || error.code !== 'LeaseAlreadyPresent') throw error;
      }
      const info = await head(name);
      if (info === undefined) throw new BlobConflict(`${name}: was deleted`);
      return info;
    },
  };
}

/** Makes the container if the write fails for want of it. */
async function write<T>(client: ContainerClient, name: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!isRest(error) || error.code !== 'ContainerNotFound') throw conflictOr(error, name);
  }
  await client.createIfNotExists();
  try {
    return await attempt();
  } catch (error) {
    throw conflictOr(error, name);
  }
}

/**
 * Storage refuses a block that does not arrive as it was sent: nobody reads it again before a client does. Not where this
 * computer's rules forbid MD5. (Azurite, not told one, makes another checksum, which takes it longer than all else.)
 */
const checksumOf = (bytes: Uint8Array) =>
  getFips() === 1 ? {} : { transactionalContentMD5: createHash('md5').update(bytes).digest() };

/** Bytes that a request hands to its connection at once: encrypted, they are held a second time. */
const PART = 256 * 1024;

/** Large bytes go in parts, each as the connection takes it; another attempt begins them anew. */
const bodyOf = (bytes: Uint8Array): Uint8Array | (() => Readable) =>
  bytes.length <= PART
    ? bytes
    : () => Readable.from(partsOf(bytes), { objectMode: false, highWaterMark: PART });

function* partsOf(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PART) yield bytes.subarray(at, at + PART);
}

const beyond = (name: string, offset: number) => new RangeError(`blob ${name} has no byte ${offset}`);

interface Answer {
  readonly etag?: string;
  readonly lastModified?: Date;
}

/** Headers quote an ETag, listings do not. */
const versionOf = ({ etag, lastModified }: Answer) => ({
  etag: `"${(etag ?? '').replaceAll('"', '')}"`,
  modifiedAt: lastModified ?? new Date(0),
});

const infoOf = (
  name: string,
  answer: Answer & { readonly metadata?: Record<string, string> | undefined },
  size: number | undefined,
): BlobInfo => ({ name, size: size ?? 0, metadata: answer.metadata ?? {}, ...versionOf(answer) });

const withMetadata = (metadata: Record<string, string> | undefined) =>
  metadata === undefined ? {} : { metadata };

const toAzure = ({ ifMatch, ifNoneMatch }: Condition): BlobRequestConditions => ({
  ...(ifMatch === undefined ? {} : { ifMatch }),
  ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
});

async function bytesOf(stream: NodeJS.ReadableStream | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream ?? []) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}

const isRest = (error: unknown): error is RestError => error instanceof RestError;
const isMissing = (error: unknown): boolean =>
  isRest(error) && error.statusCode === 404 && error.code !== 'ResourceTypeMismatch';

async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** 409 BlobAlreadyExists is how If-None-Match fails; another 409 (a lease, a container being deleted) is no conflict. */
function conflictOr(error: unknown, name: string): unknown {
  if (isRest(error) && (error.statusCode === 412 || error.code === 'BlobAlreadyExists'))
    return new BlobConflict(`${name}: ${error.code ?? 'the condition does not hold'}`, { cause: error });
  return error;
}
