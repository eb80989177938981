import { Retryable, Terminal } from '../../model/errors.ts';

/** Codes of the specification whose remedy is known; others are told what to look at. */
const remedies: Readonly<Record<string, string>> = {
  DENIED: 'Use a key that may do this, or change the policy of the repository: berth registry policy list',
  MANIFEST_UNKNOWN: 'List what there is: berth images list',
  NAME_UNKNOWN: 'List what there is: berth images list',
  MANIFEST_BLOB_UNKNOWN: 'The image is not complete in its repository: push it again.',
  BLOB_UPLOAD_UNKNOWN: 'Push the image again; what is there already is not sent twice.',
  DIGEST_INVALID: 'Push the image again: what came is not what its digest says.',
};

/** What the registry refuses, as the API says it. */
export function refusalOf(refused: {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  /** Seconds, as the header has it. */
  readonly retryAfter?: string | null;
}): Terminal | Retryable {
  const { code, message, status, retryAfter } = refused;
  const fault = {
    code: code.toLowerCase().replaceAll('_', '-'),
    message: `The registry refuses it: ${message}.`,
    remedy: remedies[code] ?? 'Mend what the message names, then try again.',
  };
  return status === 429
    ? new Retryable({ ...fault, afterMs: 1000 * Number(retryAfter ?? 1) })
    : new Terminal({ ...fault, status });
}
