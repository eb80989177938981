import type { Verifier } from '../identity/verifier.ts';
import { Refused } from './amqp.ts';

/** Azure's audience for Service Bus tokens. */
const audience = 'https://servicebus.azure.net';

/** What one connection may reach: put by `$cbs` put-token, until its token expires. */
export interface Claims {
  /** @param name audience as the client gives it, for example `sb://host/commands`. @throws Refused 401 */
  put(name: string, type: string, token: string): Promise<void>;
  /** Whether a token covers this path or one above it. */
  allow(path: string): boolean;
  /** When the next token expires, milliseconds since 1970. */
  nextExpiry(): number | undefined;
}

/** https://docs.oasis-open.org/amqp/amqp-cbs/v1.0/amqp-cbs-v1.0.html */
export function claimsOf(verify: Verifier, now: () => number = Date.now): Claims {
  const expiries = new Map<string, number>();
  return {
    async put(name, type, token) {
      if (type !== 'jwt')
        throw new Refused(
          401,
          'amqp:unauthorized-access',
          `Local authentication is disabled: expected a token of type jwt, not ${type}.`,
        );
      const claims = await verify(token, audience).catch((error: unknown) => {
        throw new Refused(401, 'amqp:unauthorized-access', `The token was refused: ${String(error)}.`);
      });
      expiries.set(pathOfAudience(name), claims.exp * 1000);
    },
    allow(path) {
      const wanted = path.toLowerCase().split('/');
      for (const [granted, expiry] of expiries) {
        const segments = granted === '' ? [] : granted.split('/');
        if (expiry > now() && segments.every((segment, index) => wanted[index] === segment)) return true;
      }
      return false;
    },
    nextExpiry() {
      const later = [...expiries.values()].filter((expiry) => expiry > now());
      return later.length === 0 ? undefined : Math.min(...later);
    },
  };
}

function pathOfAudience(name: string): string {
  try {
    return decodeURIComponent(new URL(name).pathname)
      .replace(/^\/+|\/+$/g, '')
      .toLowerCase();
  } catch {
    throw new Refused(
      400,
      'amqp:invalid-field',
      `The token's name ${name} is no address, expected sb://host/entity.`,
    );
  }
}
