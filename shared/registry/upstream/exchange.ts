import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getCACertificates } from 'node:tls';
import { refusalOfAddress } from '../subscriptions/addresses.ts';
import { checkedLookup } from '../subscriptions/checked-lookup.ts';

/** Sockets of one registry at once. */
const SOCKETS = 16;

/** One request, as it goes over the wire. A body that is a function can be sent again. */
export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | (() => Promise<Readable>) | undefined;
  /** Milliseconds without a byte, in either direction, after which it is given up. */
  readonly patience: number;
}

/** Sends requests, redirects not followed, and keeps connections for the next one. */
export interface Wire {
  send(outgoing: Outgoing): Promise<http.IncomingMessage>;
  close(): void;
}

/**
 * @param authority PEM that is trusted beside the usual authorities
 * @param allowPrivate reaches private and loopback addresses too; those that tell secrets of the machine itself are never reached
 */
export function wire(authority: string | undefined, allowPrivate: boolean): Wire {
  const options = { keepAlive: true, maxSockets: SOCKETS, lookup: checkedLookup(allowPrivate) };
  const ca = authority === undefined ? {} : { ca: [...getCACertificates('default'), authority] };
  const agents = { plain: new http.Agent(options), secure: new https.Agent({ ...options, ...ca }) };
  return {
    async send(outgoing) {
      const host = outgoing.url.hostname.replace(/^\[|\]$/g, '');
      const refusal = isIP(host) === 0 ? undefined : refusalOfAddress(host, allowPrivate);
      if (refusal !== undefined) throw new Error(refusal);
      try {
        return await sendOnce(outgoing, agents);
      } catch (error) {
        // A kept connection may have been closed by the other side just before: the request never arrived.
        if (!(error instanceof Stale)) throw error;
        return await sendOnce(outgoing, agents);
      }
    },
    close() {
      agents.plain.destroy();
      agents.secure.destroy();
    },
  };
}

class Stale extends Error {}

async function sendOnce(
  { method, url, headers, body, patience }: Outgoing,
  agents: { readonly plain: http.Agent; readonly secure: https.Agent },
): Promise<http.IncomingMessage> {
  const isSecure = url.protocol === 'https:';
  const request = (isSecure ? https : http).request(url, {
    method,
    headers,
    agent: isSecure ? agents.secure : agents.plain,
    timeout: patience,
  });
  request.on('timeout', () => request.destroy(new Error(`nothing came for ${patience / 1000} s`)));
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
  if (typeof body !== 'function') request.end(body);
  // A failure of the body ends the request; one of the request is seen below.
  else pipeline(await body(), request).catch((error: Error) => void request.destroy(error));
  try {
    const [answer] = await answered;
    return answer;
  } catch (error) {
    const isReset = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    throw request.reusedSocket && isReset ? new Stale('', { cause: error }) : error;
  }
}
