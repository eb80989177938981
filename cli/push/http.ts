import { type IncomingHttpHeaders, Agent as PlainAgent, request as plain } from 'node:http';
import { Agent, request as secure } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';

export interface Asking {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
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
  const once = ({ method, url, headers = {}, body }: Asking): Promise<Answer> =>
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
      outgoing.end(body);
    });
  return {
    async send(asking) {
      for (let attempt = 1; ; attempt += 1) {
        const result = await once(asking).catch((error: unknown) =>
          error instanceof Error ? error : new Error(String(error)),
        );
        signal.throwIfAborted();
        const isLast = attempt === ATTEMPTS;
        if (result instanceof Error) {
          if (isLast || isTrust(result)) throw result;
          await sleep(300 * 2 ** attempt, undefined, { signal });
          continue;
        }
        if (isLast || !mayPass(result.status)) return result;
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
