import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient, RestError } from '@azure/storage-blob';
import type { AppendBlobs } from './append-blobs.ts';

/** @param uri the blob endpoint */
export function azureAppendBlobs(uri: string, container: string, credential: TokenCredential): AppendBlobs {
  const client = new BlobServiceClient(uri, credential).getContainerClient(container);
  let made: Promise<unknown> | undefined;
  const ensure = () => {
    made ??= client.createIfNotExists();
    made.catch(() => {
      made = undefined;
    });
    return made;
  };
  return {
    async append(name, position, bytes) {
      await ensure();
      const blob = client.getAppendBlobClient(name);
      if (position === 0) await blob.createIfNotExists();
      try {
        await blob.appendBlock(Buffer.from(bytes), bytes.length, {
          conditions: { appendPosition: position },
        });
        return position + bytes.length;
      } catch (error) {
        // 409: it holds as many blocks as a blob may.
        if (isStatus(error, 412) || isStatus(error, 404) || isStatus(error, 409)) return undefined;
        throw error;
      }
    },
    async read(name, offset, most) {
      try {
        const answer = await client.getBlobClient(name).download(offset, most);
        const chunks: Uint8Array[] = [];
        for await (const chunk of answer.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
        return Buffer.concat(chunks);
      } catch (error) {
        // 416: nothing stands at or after the offset.
        if (isStatus(error, 404) || isStatus(error, 416)) return new Uint8Array();
        throw error;
      }
    },
    async *list(prefix) {
      try {
        for await (const { name, properties } of client.listBlobsFlat({ prefix }))
          yield { name, size: properties.contentLength ?? 0, modifiedAt: properties.lastModified };
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
      }
    },
    async *folders() {
      try {
        for await (const item of client.listBlobsByHierarchy('/'))
          if (item.kind === 'prefix') yield item.name.slice(0, -1);
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
      }
    },
    async remove(name) {
      await client.getBlobClient(name).deleteIfExists();
    },
  };
}

const isStatus = (error: unknown, status: number): boolean =>
  error instanceof RestError && error.statusCode === status;
