import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient, RestError } from '@azure/storage-blob';
import { blobUrls } from '../../state/blob-urls.azure.ts';
import type { RunLogs } from './run-logs.ts';

const CONTAINER = 'run-logs';

/** @param uri the blob endpoint */
export function azureRunLogs(uri: string, credential: TokenCredential): RunLogs {
  const service = new BlobServiceClient(uri, credential);
  const container = service.getContainerClient(CONTAINER);
  const urls = blobUrls(service, container);
  let made: Promise<unknown> | undefined;
  const ensure = () => {
    made ??= container.createIfNotExists();
    made.catch(() => {
      made = undefined;
    });
    return made;
  };
  return {
    async writeUrl(name, seconds) {
      await ensure();
      return urls(name, seconds, 'append');
    },
    async read(name, offset, most) {
      const blob = container.getBlobClient(name);
      try {
        const answer = await blob.download(offset, most);
        const chunks: Uint8Array[] = [];
        for await (const chunk of answer.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
        const bytes = Buffer.concat(chunks);
        const size = Number(/\/(\d+)$/.exec(answer.contentRange ?? '')?.[1] ?? offset + bytes.length);
        return { bytes, size };
      } catch (error) {
        if (isStatus(error, 404)) return { bytes: new Uint8Array(), size: 0 };
        // Nothing stands at or after the offset.
        if (isStatus(error, 416)) return { bytes: new Uint8Array(), size: offset };
        throw error;
      }
    },
    async seal(name) {
      try {
        await container.getBlobClient(name).getBlobLeaseClient().acquireLease(-1);
      } catch (error) {
        if (!isStatus(error, 404) && !(error instanceof RestError && error.code === 'LeaseAlreadyPresent'))
          throw error;
      }
    },
    async remove(prefix) {
      try {
        for await (const { name } of container.listBlobsFlat({ prefix })) {
          const blob = container.getBlobClient(name);
          await blob
            .getBlobLeaseClient()
            .breakLease(0)
            .catch(() => undefined);
          await blob.deleteIfExists();
        }
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
      }
    },
  };
}

const isStatus = (error: unknown, status: number): boolean =>
  error instanceof RestError && error.statusCode === status;
