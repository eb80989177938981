import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import type { LongTexts } from './long-text.ts';

/** One blob for each text, in a container that comes to be with the first. */
export function azureLongTexts(uri: string, credential: TokenCredential, container: string): LongTexts {
  const client = new BlobServiceClient(uri, credential).getContainerClient(container);
  let made: Promise<unknown> | undefined;
  return {
    async put(name, text) {
      made ??= client.createIfNotExists();
      await made.catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      const bytes = Buffer.from(text);
      await client.getBlockBlobClient(name).upload(bytes, bytes.length);
    },
    async get(name) {
      return (await client.getBlobClient(name).downloadToBuffer()).toString();
    },
    async deleteAll(prefix) {
      if (made === undefined && !(await client.exists())) return;
      for await (const { name } of client.listBlobsFlat({ prefix })) await client.deleteBlob(name);
    },
  };
}
