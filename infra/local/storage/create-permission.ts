import { createRequire } from 'node:module';

/** What of Azurite's modules is changed here; they have no types. */
interface Permissions {
  set(operation: number, needs: unknown): void;
}
interface Modules {
  readonly operations: Record<'BlockBlob_StageBlock' | 'BlockBlob_CommitBlockList', number>;
  readonly permissions: Permissions;
  readonly SasPermission: new (anyOf: string) => unknown;
  readonly Authenticator: { prototype: Authenticator };
  readonly mismatch: (contextId: string) => Error;
}
interface Authenticator {
  validate(
    request: { getQuery(name: string): string | undefined },
    context: unknown,
  ): Promise<boolean | undefined>;
  blobExist(account: string, container: string, blob: string): Promise<boolean>;
}

/**
 * Azure's version 2026-04-06 lets a SAS with the permission `create` stage blocks, and make a blob of them where there is none;
 * Azurite says that it speaks that version and asks for `write`. This teaches it, in this process.
 * https://learn.microsoft.com/rest/api/storageservices/version-2026-04-06
 */
export function allowCreateToStageBlocks(): void {
  const { operations, permissions, SasPermission, Authenticator, mismatch } = modules();
  const { BlockBlob_StageBlock: stage, BlockBlob_CommitBlockList: commit } = operations;
  for (const operation of [stage, commit]) permissions.set(operation, new SasPermission('cw'));
  const validate = Authenticator.prototype.validate;
  Authenticator.prototype.validate = async function (request, context) {
    const isValid = await validate.call(this, request, context);
    const given = decodeURIComponent(request.getQuery('sp') ?? '');
    if (isValid !== true || given.includes('w')) return isValid;
    const { operation, account, container, blob, contextId } = placeOf(context);
    // As for Put Blob: what is there is changed with `write` alone.
    if (operation === commit && (await this.blobExist(account, container, blob))) throw mismatch(contextId);
    return isValid;
  };
}

function modules(): Modules {
  const require = createRequire(import.meta.url);
  const from = 'azurite/dist/src/blob';
  const permission = require(`${from}/authentication/OperationBlobSASPermission.js`);
  return {
    operations: require(`${from}/generated/artifacts/operation.js`).default,
    permissions: permission.OPERATION_BLOB_SAS_BLOB_PERMISSIONS,
    SasPermission: permission.OperationBlobSASPermission,
    Authenticator: require(`${from}/authentication/BlobSASAuthenticator.js`).default,
    mismatch: require(`${from}/errors/StorageErrorFactory.js`).default.getAuthorizationPermissionMismatch,
  };
}

interface Place {
  readonly operation: number;
  readonly contextId: string;
  readonly account: string;
  readonly container: string;
  readonly blob: string;
}

const placeOf = (context: unknown): Place => {
  const { operation, contextId, context: place } = context as Place & { context: Place };
  const { account, container, blob } = place;
  return { operation, contextId, account, container, blob };
};
