import { BlobConflict } from '../state/blobs.ts';
import { Conflict } from '../state/tables.ts';
import { RegistryError } from './errors.ts';

/** Seconds after which a client may ask again. */
const AFTER = 1;

/**
 * What a client is told when the storage refuses what we do in a way that may pass, after all attempts of ours: others were
 * faster each time, or the storage is busy or away. Undefined for every other error.
 */
export function storageFault(error: unknown): RegistryError | undefined {
  if (error instanceof Conflict || error instanceof BlobConflict || isContended(error))
    return again('others changed the same at the same time, too often to win: try again', error);
  if (isAway(error)) return again('the storage is busy, or does not answer: try again', error);
  return undefined;
}

const again = (message: string, cause: unknown): RegistryError =>
  new RegistryError('UNAVAILABLE', message, { cause, headers: { 'retry-after': String(AFTER) } });

/**
 * An answer of Azure's storage as its libraries throw it.
 * https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
 */
interface RestError {
  readonly name: string;
  readonly code?: string;
  readonly statusCode?: number;
}

const restError = (error: unknown): RestError | undefined =>
  error instanceof Error && error.name === 'RestError' ? error : undefined;

/** Also a lease, or a container that is being deleted. */
const isContended = (error: unknown): boolean => [409, 412].includes(restError(error)?.statusCode ?? 0);

function isAway(error: unknown): boolean {
  const { code, statusCode } = restError(error) ?? {};
  return (
    code === 'REQUEST_SEND_ERROR' ||
    [408, 429].includes(statusCode ?? 0) ||
    (statusCode !== undefined && statusCode >= 500)
  );
}
