import {
  BlobSASPermissions,
  type BlobServiceClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  SASProtocol,
  type UserDelegationKey,
} from '@azure/storage-blob';

const HOUR = 3600_000;
/** A clock that lags by less still accepts a new URL. */
const SKEW = 15 * 60_000;

/** Permissions as a SAS names them. Who appends also makes the blob, and reads how long it is. */
const PERMISSIONS = { read: 'r', create: 'c', append: 'racw' } as const;

/** A URL of one blob that lives for so many seconds. */
export type BlobUrls = (
  name: string,
  seconds: number,
  permission: keyof typeof PERMISSIONS,
) => Promise<string>;

/**
 * Makes URLs signed with a user-delegation key, of which one serves for hours (Azure allows seven days).
 * https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
 */
export function blobUrls(service: BlobServiceClient, container: ContainerClient): BlobUrls {
  let current: Promise<UserDelegationKey> | undefined;
  let usableUntil = 0;

  const keyUntil = async (end: number): Promise<UserDelegationKey> => {
    if (current === undefined || end > usableUntil) {
      usableUntil = Math.max(end, Date.now() + 6 * HOUR);
      current = service.getUserDelegationKey(new Date(Date.now() - SKEW), new Date(usableUntil));
      current.catch(() => {
        current = undefined;
      });
    }
    return await current;
  };

  return async (name, seconds, permission) => {
    const expiresOn = new Date(Date.now() + seconds * 1000);
    const signature = generateBlobSASQueryParameters(
      {
        containerName: container.containerName,
        blobName: name,
        permissions: BlobSASPermissions.parse(PERMISSIONS[permission]),
        startsOn: new Date(Date.now() - SKEW),
        expiresOn,
        protocol: SASProtocol.Https,
      },
      await keyUntil(expiresOn.getTime()),
      service.accountName,
    );
    return `${container.getBlobClient(name).url}?${signature}`;
  };
}
