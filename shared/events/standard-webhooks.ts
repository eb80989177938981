import { Terminal } from '../model/errors.ts';
import { equalBytes, hmacSha256 } from './hmac.ts';

/** How far a delivery's timestamp may be from our clock, in seconds. */
const TOLERANCE_SECONDS = 300;

/** Header values of one delivery; absent headers are null. */
export type HeaderOf = (name: string) => string | null;

/**
 * Checks a delivery signed as https://www.standardwebhooks.com says: `webhook-signature` holds one or more
 * `v1,<base64>` of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<raw body>`.
 * @param secrets base64 with or without `whsec_`; several while one is replaced by the next
 * @returns the delivery's id, for refusing replays
 * @throws Terminal 401 `signature-missing`, `signature-expired`, `signature-invalid`
 */
export async function verifyStandardWebhook(
  headerOf: HeaderOf,
  body: Uint8Array,
  secrets: readonly string[],
  now: Date,
): Promise<string> {
  const id = headerOf('webhook-id');
  const timestamp = headerOf('webhook-timestamp');
  const signatures = headerOf('webhook-signature');
  if (id === null || id === '' || timestamp === null || signatures === null) {
    throw refused(
      'signature-missing',
      'the headers webhook-id, webhook-timestamp and webhook-signature are expected',
    );
  }
  const seconds = Number(timestamp);
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now.getTime() / 1000 - seconds) > TOLERANCE_SECONDS) {
    throw refused(
      'signature-expired',
      `webhook-timestamp is not within ${TOLERANCE_SECONDS} seconds of this clock`,
    );
  }
  const given = signatures.split(' ').flatMap((entry) => {
    const [version, value] = entry.split(',');
    return version === 'v1' && value !== undefined ? [decodeBase64(value)] : [];
  });
  for (const secret of secrets) {
    const expected = await signatureOf(secret, id, timestamp, body);
    if (given.some((signature) => equalBytes(signature, expected))) return id;
  }
  throw refused(
    'signature-invalid',
    'no signature in webhook-signature fits the body and the secret of this hook',
  );
}

/**
 * Headers of a delivery, signed with each of the secrets: while one is replaced by the next, a receiver may have either.
 * @param id the same for every attempt
 */
export async function signStandardWebhook(
  id: string,
  body: Uint8Array,
  secrets: readonly string[],
  now: Date,
): Promise<Readonly<Record<string, string>>> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const signatures = await Promise.all(
    secrets.map(async (secret) => {
      const bytes = await signatureOf(secret, id, timestamp, body);
      return `v1,${btoa(String.fromCharCode(...bytes))}`;
    }),
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

const signatureOf = (
  secret: string,
  id: string,
  timestamp: string,
  body: Uint8Array,
): Promise<Uint8Array> => {
  const signed = concat(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  return hmacSha256(decodeBase64(secret.replace(/^whsec_/, '')), signed);
};

/** 24 random bytes as Standard Webhooks writes them. */
export const newWebhookSecret = (): string =>
  `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(24))))}`;

const refused = (code: string, what: string): Terminal =>
  new Terminal({
    code,
    status: 401,
    message: `The delivery was refused: ${what}`,
    remedy: 'Sign the raw body with the secret that was shown when the hook was made.',
  });

/** Malformed base64 gives no bytes, which no signature equals. */
function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function concat(left: Uint8Array, right: Uint8Array): Uint8Array {
  const whole = new Uint8Array(left.length + right.length);
  whole.set(left);
  whole.set(right, left.length);
  return whole;
}
