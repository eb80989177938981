import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from '../operations/faults.ts';

/** One request, routed: values of the path template, decoded query and JSON body. */
export interface ArmRequest {
  readonly method: string;
  /** https://host:port as the client reached it: links in answers begin with it. */
  readonly base: string;
  readonly path: string;
  readonly apiVersion: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined where none was sent. */
  readonly body: unknown;
  /** Ordered failure that the operation begun by this request meets. */
  readonly fault: Fault | undefined;
}

export interface ArmReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Id of a long-running operation: the server adds Azure-AsyncOperation, Location and Retry-After. */
  readonly operation?: string;
  /** Everything was done, but the client shall not learn it: the connection is cut. */
  readonly loseReply?: boolean;
}

export type Handler = (request: ArmRequest) => ArmReply | Promise<ArmReply>;

export interface Route {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** `/subscriptions/{subscription}/…`; compared without regard to case, as ARM does. */
  readonly template: string;
  readonly handle: Handler;
  /** Name by which failures of this call are ordered: vm.create. */
  readonly fault?: string;
  /** The handler meets faults ordered at-once itself, where Azure would find them. */
  readonly meetsFaults?: boolean;
  /** Needs no token: the handler checks something else. */
  readonly open?: boolean;
}

/** Value of a path parameter that the route's template names. */
export function parameter(request: ArmRequest, name: string): string {
  const value = request.parameters[name];
  if (value === undefined) throw new Error(`route has no parameter {${name}}: ${request.path}`);
  return value;
}
