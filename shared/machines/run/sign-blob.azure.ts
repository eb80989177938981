import {
  BlobSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';

/** The address of a blob by which it can be read for `seconds`, signed with its account's key. */
export function signBlob(
  url: string,
  account: { readonly name: string; readonly key: string },
  seconds: number,
): string {
  const { pathname } = new URL(url);
  const [containerName = '', ...blob] = pathname.slice(1).split('/').map(decodeURIComponent);
  const signature = generateBlobSASQueryParameters(
    {
      containerName,
      blobName: blob.join('/'),
      permissions: BlobSASPermissions.parse('r'),
      expiresOn: new Date(Date.now() + seconds * 1000),
      protocol: SASProtocol.Https,
    },
    new StorageSharedKeyCredential(account.name, account.key),
  );
  return `${url}?${signature}`;
}
