import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { Retryable, Terminal } from '../../../shared/model/errors.ts';

/** The Docker Engine API on a unix socket, as far as this folder needs it: https://docs.docker.com/reference/api/engine/ */
export interface EngineApi {
  readonly socket: string;
  /** Sends JSON, answers what `schema` makes of the reply. */
  json<T>(schema: z.ZodType<T>, method: Method, path: string, body?: unknown): Promise<T>;
  /** Sends JSON and drops the reply; the statuses in `accept` are as good as success. */
  send(method: Method, path: string, body?: unknown, accept?: readonly number[]): Promise<void>;
  /** The reply's body as it comes; `body` is JSON, bytes, or a stream of bytes (a tar archive). */
  stream(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<IncomingMessage>;
  /** Posts JSON, then turns the connection into a stream of both directions: sends `input`, answers what came until its end. */
  converse(path: string, body: unknown, input: string): Promise<Buffer>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';

/**
 * A client of the engine behind this socket. Paths carry no API version: the engine then speaks its own newest, and
 * what is used here has been the same since 1.41 (Docker 20.10).
 * @throws Retryable `engine-unreachable`, `engine-failed`; Terminal `engine-refused` with the engine's status and words
 */
export function engineApi(socket: string): EngineApi {
  const stream: EngineApi['stream'] = async (method, path, body, signal) => {
    const answer = await exchange(socket, method, path, body, signal);
    const status = answer.statusCode ?? 0;
    if (status < 400) return answer;
    throw refusal(method, path, status, (await readAll(answer)).toString());
  };
  return {
    socket,
    stream,
    converse: (path, body, input) => upgraded(socket, path, body, input),
    json: async (schema, method, path, body) =>
      schema.parse(JSON.parse((await readAll(await stream(method, path, body))).toString())),
    send: async (method, path, body, accept = []) => {
      try {
        await readAll(await stream(method, path, body));
      } catch (error) {
        if (!(error instanceof Terminal && accept.includes(error.status))) throw error;
      }
    },
  };
}

function exchange(
  socket: string,
  method: Method,
  path: string,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const bytes = body instanceof Uint8Array || isStream(body);
    const outgoing = request(
      {
        socketPath: socket,
        method,
        path,
        headers: { host: 'docker', 'content-type': bytes ? 'application/x-tar' : 'application/json' },
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    );
    outgoing.on('error', (cause) =>
      reject(
        signal?.aborted
          ? cause
          : new Retryable({
              code: 'engine-unreachable',
              message: `The Docker engine at ${socket} does not answer: ${cause.message}`,
              remedy: `Check that it runs: docker -H unix://${socket} info`,
              cause,
            }),
      ),
    );
    if (isStream(body)) body.on('error', (error) => outgoing.destroy(error)).pipe(outgoing);
    else outgoing.end(body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body));
  });
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ContainerAttach, "Hijacking" */
function upgraded(socketPath: string, path: string, body: unknown, input: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = {
      host: 'docker',
      'content-type': 'application/json',
      connection: 'Upgrade',
      upgrade: 'tcp',
    };
    const outgoing = request({ socketPath, method: 'POST', path, headers });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      readAll(answer).then(
        (text) => reject(refusal('POST', path, answer.statusCode ?? 0, text.toString())),
        reject,
      );
    });
    outgoing.on('upgrade', (_answer, socket, head) => {
      const chunks: Buffer[] = [head];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('end', () => resolve(Buffer.concat(chunks)));
      socket.on('error', reject);
      socket.end(input);
    });
    outgoing.end(JSON.stringify(body));
  });
}

const isStream = (body: unknown): body is Readable =>
  typeof body === 'object' && body !== null && 'pipe' in body;

function refusal(method: string, path: string, status: number, text: string): Error {
  const words = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.trim();
  const fault = {
    code: status >= 500 ? 'engine-failed' : 'engine-refused',
    message: `The Docker engine answered ${status} to ${method} ${path}: ${words}`,
    remedy: 'Read the engine’s log for the reason.',
  };
  return status >= 500 ? new Retryable(fault) : new Terminal({ ...fault, status });
}

/** The whole body; for replies that are known to be small. */
export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads a stream of JSON objects, one a line, as /events, /build and /images/create send them. */
export async function* jsonLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
  }
  if (rest.trim() !== '') yield JSON.parse(rest);
}

/**
 * Splits a container's output as the engine multiplexes it without a terminal: 8 bytes of header (stream, 3 zeros,
 * length), then the payload. https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ContainerAttach
 */
export function demultiplex(bytes: Buffer): { readonly stdout: string; readonly stderr: string } {
  const parts: Record<1 | 2, Buffer[]> = { 1: [], 2: [] };
  for (let at = 0; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    parts[bytes[at] === 2 ? 2 : 1].push(bytes.subarray(at + 8, end));
    at = end;
  }
  return { stdout: Buffer.concat(parts[1]).toString(), stderr: Buffer.concat(parts[2]).toString() };
}
