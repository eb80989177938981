import { Retryable, Terminal } from '../../model/errors.ts';
import { RegistryError } from '../errors.ts';

/**
 * What a client of ours is told when another registry fails it: the specification's code, with the reason and what to do.
 * @param unknown code for what is not there
 */
export function registryFault(error: unknown, unknown: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN'): unknown {
  if (!(error instanceof Terminal || error instanceof Retryable)) return error;
  const message = `${error.message} ${error.remedy}`;
  const cause = error;
  switch (error.code) {
    case 'upstream-not-found':
      return new RegistryError(unknown, message, { cause });
    case 'upstream-unauthorized':
    case 'source-not-allowed':
      return new RegistryError('DENIED', message, { cause });
    case 'upstream-limited': {
      const seconds = Math.ceil(((error as Retryable).afterMs ?? 60_000) / 1000);
      return new RegistryError('TOOMANYREQUESTS', message, {
        cause,
        headers: { 'retry-after': String(seconds) },
      });
    }
    case 'upstream-unreachable':
    case 'fetch-takes-long':
      return new RegistryError('UNAVAILABLE', message, { cause, headers: { 'retry-after': '5' } });
    case 'upstream-untrusted':
    case 'upstream-answer-invalid':
      return new RegistryError('UNKNOWN', message, { cause, status: 502 });
    default:
      return error;
  }
}
