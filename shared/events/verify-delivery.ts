import { Terminal } from '../model/errors.ts';
import { verifyGitHubWebhook } from './github-signature.ts';
import { equalBytes } from './hmac.ts';
import { type HeaderOf, verifyStandardWebhook } from './standard-webhooks.ts';

/** How a delivery proves its sender: by a signature, or by the secret itself, for senders that sign nothing. */
export type Proof = 'standard-webhooks' | 'github' | 'token';

/**
 * Checks whatever proof a delivery carries. It is chosen by the delivery alone, so that a hook that is not there (and has no
 * secret) answers as one does whose secret is another.
 * @param token of the address's query
 * @returns what proves it, and what its sender calls it (empty where it has no name)
 * @throws Terminal 401 `signature-missing`, `signature-expired`, `signature-invalid`, `token-invalid`
 */
export async function verifyDelivery(
  headerOf: HeaderOf,
  token: string | null,
  body: Uint8Array,
  secrets: readonly string[],
  now: Date,
): Promise<{ readonly proof: Proof; readonly id: string }> {
  if (headerOf('x-hub-signature-256') !== null)
    return { proof: 'github', id: await verifyGitHubWebhook(headerOf, body, secrets) };
  const given = token ?? tokenIn(headerOf('authorization'));
  if (given === undefined || headerOf('webhook-signature') !== null)
    return { proof: 'standard-webhooks', id: await verifyStandardWebhook(headerOf, body, secrets, now) };
  await verifyToken(given, secrets);
  return { proof: 'token', id: '' };
}

/** `Bearer <secret>`, `Basic` with the secret as the password, or the secret as it is: senders differ in what they can send. */
function tokenIn(authorization: string | null): string | undefined {
  const text = authorization?.trim() ?? '';
  const [, scheme, value] = /^(Bearer|Basic) +(\S+)$/i.exec(text) ?? [];
  if (scheme === undefined || value === undefined) return text === '' ? undefined : text;
  if (scheme.toLowerCase() === 'bearer') return value;
  try {
    return atob(value).split(':').slice(1).join(':');
  } catch {
    return '';
  }
}

/** @throws Terminal 401 `token-invalid` */
export async function verifyToken(given: string, secrets: readonly string[]): Promise<void> {
  const hashed = await hash(given);
  for (const secret of secrets) if (equalBytes(hashed, await hash(secret))) return;
  throw new Terminal({
    code: 'token-invalid',
    status: 401,
    message: 'The delivery was refused: its token is not the secret of this hook.',
    remedy:
      'Post to the address that was shown when the hook was made, or send its secret as Authorization: Bearer.',
  });
}

const hash = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
