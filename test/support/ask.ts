import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { ApiServer } from './api-server.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, if it is JSON. */
  readonly json: unknown;
}

export interface Asking {
  /** Undefined: no key. Left out: the administrator's. */
  readonly key?: string | undefined;
  readonly authorization?: string;
  readonly json?: unknown;
  readonly text?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends requests to an API server as they are given, wrong ones too. */
export const makeAsk =
  (server: Pick<ApiServer, 'url' | 'adminKey' | 'ca'>) =>
  (method: string, path: string, asking: Asking = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const key = 'key' in asking ? asking.key : server.adminKey;
      const authorization = asking.authorization ?? (key === undefined ? undefined : `Bearer ${key}`);
      const body =
        asking.text ??
        (asking.json === undefined || method === 'GET' ? undefined : JSON.stringify(asking.json));
      const outgoing = request(`${server.url}${path}`, {
        method,
        ca: server.ca,
        agent: false,
        headers: {
          ...(authorization === undefined ? {} : { authorization }),
          ...(body === undefined
            ? {}
            : {
                'content-type': asking.type ?? 'application/json',
                'content-length': String(Buffer.byteLength(body)),
              }),
          ...asking.headers,
        },
      });
      outgoing.on('error', reject);
      outgoing.on('response', async (answer) => {
        let text = '';
        for await (const chunk of answer.setEncoding('utf8')) text += chunk;
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: parse(text) });
      });
      outgoing.end(body);
    });

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
