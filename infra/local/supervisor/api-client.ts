import { z } from 'zod';
import { Terminal } from '../../../shared/model/errors.ts';

/** The app's HTTP API as the supervisor uses it: with the administrator's key, like any other client. */
export interface ApiClient {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  send(method: 'PUT' | 'POST', path: string, type: string, body: string): Promise<void>;
}

const Problem = z.object({ title: z.string(), detail: z.string().optional(), code: z.string().optional() });

export function apiClient(url: string, key: string): ApiClient {
  const call = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${key}` },
    });
    if (response.ok) return response;
    const text = await response.text();
    const problem = Problem.safeParse(JSON.parse(text === '' ? '{}' : text));
    throw new Terminal({
      code: problem.data?.code ?? 'api-refused',
      message: `${init.method ?? 'GET'} ${path} was answered with ${response.status}: ${problem.data?.detail ?? problem.data?.title ?? text}`,
      remedy: 'The log of the app process says more: .berth/logs/app.log',
    });
  };
  return {
    get: async (path, schema) => schema.parse(await (await call(path, {})).json()),
    async send(method, path, type, body) {
      await call(path, { method, headers: { 'content-type': type }, body });
    },
  };
}
