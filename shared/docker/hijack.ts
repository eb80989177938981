import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EngineAddress } from './connection.ts';
import { faults } from './faults.ts';

/** Milliseconds until an engine has answered. */
const PROMPT = 30_000;

/** A call on a connection of its own: its streams last as long as somebody reads them. */
export interface StreamCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'HEAD';
  readonly path: string;
  readonly json?: unknown;
  /** Milliseconds until the answer begins. */
  readonly timeout?: number;
  readonly archive?: AsyncIterable<Uint8Array>;
}

export interface StreamConnection {
  readonly name: string;
  /** The answer's body must be read to its end or destroyed. @throws Retryable `engine-unreachable` */
  call(call: StreamCall): Promise<IncomingMessage>;
  /** The connection itself, once the engine has left HTTP on it; its answer if it has not. */
  hijack(path: string, json: unknown): Promise<{ socket: Duplex } | { answer: IncomingMessage }>;
}

export function streamConnection(to: EngineAddress): StreamConnection {
  const name = 'socketPath' in to ? to.socketPath : to.name;
  const options = async (): Promise<RequestOptions> => {
    if ('socketPath' in to) return { socketPath: to.socketPath, agent: false };
    const { certificate: cert, key, ca } = await to.identity();
    const tls = { cert, key, ca, servername: to.name, minVersion: 'TLSv1.2' } as const;
    return { host: to.address, port: to.port, agent: false, ...tls };
  };
  const send = 'socketPath' in to ? httpRequest : httpsRequest;

  return {
    name,
    async call({ method, path, json, archive, timeout = PROMPT }) {
      const body = json === undefined ? undefined : JSON.stringify(json);
      const base = await options();
      return await new Promise((resolve, reject) => {
        const headers =
          archive !== undefined
            ? { 'content-type': 'application/x-tar' }
            : body !== undefined
              ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
              : {};
        const request = send({ ...base, method, path, headers });
        const limit = setTimeout(() => request.destroy(new Error('no answer in time')), timeout);
        request.once('response', (response) => {
          clearTimeout(limit);
          resolve(response);
        });
        request.once('error', (error) => {
          clearTimeout(limit);
          reject(faults.unreachable(name, error));
        });
        if (archive === undefined) request.end(body);
        // An engine that refuses answers before it has read all: the answer counts.
        else pipeline(Readable.from(archive), request).catch((error) => request.destroy(error));
      });
    },
    async hijack(path, json) {
      const body = JSON.stringify(json);
      const base = await options();
      return await new Promise((resolve, reject) => {
        const request = send({
          ...base,
          method: 'POST',
          path,
          headers: {
            connection: 'Upgrade',
            upgrade: 'tcp',
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        });
        const limit = setTimeout(() => request.destroy(new Error('no answer in time')), PROMPT);
        request.once('upgrade', (_response, socket, head) => {
          clearTimeout(limit);
          if (head.length > 0) socket.unshift(head);
          resolve({ socket });
        });
        request.once('response', (answer) => {
          clearTimeout(limit);
          resolve({ answer });
        });
        request.once('error', (error) => {
          clearTimeout(limit);
          reject(faults.unreachable(name, error));
        });
        request.end(body);
      });
    },
  };
}
