import { Terminal } from '../model/errors.ts';
import { equalBytes, hmacSha256 } from './hmac.ts';
import type { HeaderOf } from './standard-webhooks.ts';

/**
 * Checks `X-Hub-Signature-256: sha256=<hex>` of HMAC-SHA256 over the raw body. GitHub signs no time, so the delivery's id
 * (`X-GitHub-Delivery`) is what refuses a replay.
 * https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
 * @returns the delivery's id
 * @throws Terminal 401 `signature-missing`, `signature-invalid`
 */
export async function verifyGitHubWebhook(
  headerOf: HeaderOf,
  body: Uint8Array,
  secrets: readonly string[],
): Promise<string> {
  const given = /^sha256=([0-9a-f]{64})$/.exec(headerOf('x-hub-signature-256') ?? '')?.[1];
  const id = headerOf('x-github-delivery');
  if (given === undefined || id === null || id === '') {
    throw refused('signature-missing', 'the headers X-Hub-Signature-256 and X-GitHub-Delivery are expected');
  }
  const signature = Uint8Array.from(given.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  for (const secret of secrets) {
    if (equalBytes(signature, await hmacSha256(new TextEncoder().encode(secret), body))) return id;
  }
  throw refused('signature-invalid', 'X-Hub-Signature-256 does not fit the body and the secret of this hook');
}

const refused = (code: string, what: string): Terminal =>
  new Terminal({
    code,
    status: 401,
    message: `The delivery was refused: ${what}`,
    remedy: 'Give GitHub the secret that was shown when the hook was made.',
  });
