import {
  type ClientRequest,
  type IncomingHttpHeaders,
  Agent as PlainAgent,
  request as plain,
} from 'node:http';
import { Agent, request as secure } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';

export interface Asking {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The first answer counts, whatever it is. */
  readonly atOnce?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Requests whose bodies are held: blocks and documents. */
export interface Http {
  /** Tries again what may pass: a connection that broke, 408, 429 and 5xx. @throws Error if no answer came */
  send(asking: Asking): Promise<Answer>;
  close(): void;
}

/** Bytes that are given to a connection at once: it encrypts, and so copies, all that it is given. */
const PIECE = 256 * 1024;

async function send(outgoing: ClientRequest, body: Uint8Array = new Uint8Array(0)): Promise<void> {
  for (let at = 0; at < body.length && !outgoing.destroyed; at += PIECE)
    if (!outgoing.write(body.subarray(at, at + PIECE))) await drained(outgoing);
  outgoing.end();
}

/** Or closed: a connection that breaks says so by an error of its own. */
const drained = (outgoing: ClientRequest): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      outgoing.off('drain', go).off('close', go);
      resolve();
    };
    outgoing.on('drain', go).on('close', go);
  });

/** Milliseconds without a byte after which a connection counts as broken. */
const PATIENCE = 60_000;
const ATTEMPTS = 6;

/** @param ca certificates in PEM that count beside the public ones */
export function makeHttp(ca: string | undefined, signal: AbortSignal): Http {
  const agents = {
    'https:': new Agent({
      keepAlive: true,
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    }),
    'http:': new PlainAgent({ keepAlive: true }),
  };
  const attemptOnce = ({ method, url, headers = {}, body }: Asking): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const isSecure = url.protocol === 'https:';
      const outgoing = (isSecure ? secure : plain)(url, {
        method,
        agent: agents[isSecure ? 'https:' : 'http:'],
        signal,
        timeout: PATIENCE,
        headers: { ...headers, 'content-length': String(body?.length ?? 0) },
      });
      outgoing.on('error', reject);
      outgoing.on('timeout', () => outgoing.destroy(new Error(`nothing came for ${PATIENCE / 1000} s`)));
      outgoing.on('response', (incoming) => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(parts).toString('utf8'),
          }),
        );
      });
      send(outgoing, body).catch(reject);
    });
  return {
    async send(asking) {
      for (let attempt = 1; ; attempt += 1) {
        const result = await attemptOnce(asking).catch((error: unknown) =>
          error instanceof Error ? error : new Error(String(error)),
        );
        signal.throwIfAborted();
        const isLast = attempt === ATTEMPTS;
        if (result instanceof Error) {
          if (isLast || isTrust(result)) throw result;
          await sleep(300 * 2 ** attempt, undefined, { signal });
          continue;
        }
        if (isLast || asking.atOnce === true || !mayPass(result.status)) return result;
        const asked = Number(result.headers['retry-after'] ?? 0) * 1000;
        await sleep(Math.min(30_000, Math.max(asked, 300 * 2 ** attempt)), undefined, { signal });
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

const mayPass = (status: number): boolean => status === 408 || status === 429 || status >= 500;
const isTrust = (error: Error): boolean =>
  /CERT|SELF_SIGNED|ISSUER|ALTNAME|VERIFY/.test((error as NodeJS.ErrnoException).code ?? '');
