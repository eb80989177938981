import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { faults } from './faults.ts';

/** PEM texts. The same object again means the same certificate. */
export interface ClientIdentity {
  readonly certificate: string;
  readonly key: string;
  /** Whose server certificates are trusted. */
  readonly ca: string;
}

export type EngineAddress =
  | {
      /** Name in the engine's certificate. */
      readonly name: string;
      readonly address: string;
      readonly port: number;
      readonly identity: () => Promise<ClientIdentity>;
    }
  | { readonly socketPath: string };

export interface EngineCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a tar archive as it is. */
  readonly body?: unknown;
  readonly archive?: Uint8Array;
  /** Milliseconds until the answer begins; without it, as long as it takes. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Connection {
  /** What faults call this engine. */
  readonly name: string;
  /**
   * Sends a call; the answer's body must be read to its end or destroyed.
   * @throws Retryable `engine-unreachable`, `engine-tls-refused`; the signal's reason
   */
  send(call: EngineCall): Promise<IncomingMessage>;
}

/** A machine that is gone drops packets: the kernel alone would try for two minutes. Milliseconds. */
const CONNECT_TIMEOUT = 3_000;

/** Connections to one engine, kept open between calls and reused, the last one first. */
export function connect(to: EngineAddress): Connection {
  const name = 'socketPath' in to ? to.socketPath : to.name;
  const options = 'socketPath' in to ? socketOptions(to.socketPath) : tlsOptions(to);

  const attempt = async (call: EngineCall): Promise<IncomingMessage> => {
    const base = await options();
    const body = call.archive ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
    const type = call.archive === undefined ? 'application/json' : 'application/x-tar';
    return await new Promise((resolve, reject) => {
      const send = 'socketPath' in to ? httpRequest : httpsRequest;
      const request = send({
        ...base,
        method: call.method,
        path: call.path,
        headers: {
          ...call.headers,
          ...(body === undefined
            ? { 'content-length': '0' }
            : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
        },
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      const stopWaiting = limit(call.timeout, () => request.destroy(new Error('no answer in time')));
      request.once('socket', (socket) => {
        if (!socket.connecting) return;
        const connected = limit(CONNECT_TIMEOUT, () => request.destroy(new Error('no connection in time')));
        socket.once('connect', connected);
        request.once('close', connected);
      });
      request.once('response', (response) => {
        stopWaiting();
        resolve(response);
      });
      request.once('error', (error) => {
        stopWaiting();
        reject(Object.assign(error, { reused: request.reusedSocket }));
      });
      request.end(body);
    });
  };

  return {
    name,
    async send(call) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await attempt(call);
        } catch (error) {
          call.signal?.throwIfAborted();
          // The engine may close an idle connection just as it is used again; every call of ours may be repeated.
          if (tries <= 3 && wasClosedIdle(error)) continue;
          throw isTlsFault(error) ? faults.tlsRefused(name, error) : faults.unreachable(name, error);
        }
      }
    },
  };
}

const keepAlive = { keepAlive: true, keepAliveMsecs: 1_000, scheduling: 'lifo' } as const;

function socketOptions(socketPath: string): () => Promise<RequestOptions> {
  const agent = new HttpAgent(keepAlive);
  return async () => ({ socketPath, agent });
}

/** A renewed client certificate begins new connections; old ones that are idle end now, the others with their call. */
function tlsOptions(to: Exclude<EngineAddress, { socketPath: string }>): () => Promise<RequestOptions> {
  let used: { identity: ClientIdentity; agent: HttpsAgent } | undefined;
  return async () => {
    const identity = await to.identity();
    if (used?.identity.certificate !== identity.certificate) {
      const { certificate: cert, key, ca } = identity;
      const agent = new HttpsAgent({
        ...keepAlive,
        cert,
        key,
        ca,
        servername: to.name,
        minVersion: 'TLSv1.2',
      });
      for (const socket of Object.values(used?.agent.freeSockets ?? {}).flat()) socket?.destroy();
      used = { identity, agent };
    }
    return { host: to.address, port: to.port, agent: used.agent };
  };
}

function limit(milliseconds: number | undefined, act: () => void): () => void {
  if (milliseconds === undefined) return () => {};
  const timer = setTimeout(act, milliseconds);
  return () => clearTimeout(timer);
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code ?? '');

const wasClosedIdle = (error: unknown): boolean =>
  (error as { reused?: boolean }).reused === true && ['ECONNRESET', 'EPIPE'].includes(codeOf(error));

/** https://nodejs.org/api/tls.html, "X509 certificate error codes", and OpenSSL's alerts. */
const isTlsFault = (error: unknown): boolean =>
  /^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|INVALID_CA|EPROTO)/.test(codeOf(error));
