import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { type Faults, refusalOf } from '../operations/faults.ts';
import { ArmError } from './arm-error.ts';
import type { ArmReply, ArmRequest, Route } from './arm-request.ts';
import { authenticate, type Verify } from './authenticate.ts';
import { readJson } from './read-json.ts';
import { router } from './router.ts';

export interface ServerOptions {
  readonly certificate: string;
  readonly key: string;
  readonly subscription: string;
  readonly tenant: string;
  readonly verify: Verify;
  readonly routes: readonly Route[];
  readonly faults: Faults;
  /** Adds the headers of the long-running operation that a reply names. */
  readonly operationHeaders: (id: string, request: ArmRequest) => Readonly<Record<string, string>>;
  /** Checks a body against Azure's documents; throws ArmError. */
  readonly checkBody: (request: ArmRequest) => void;
}

/** The https server of the endpoint, not yet listening. */
export function armServer(options: ServerOptions): Server {
  const find = router(options.routes);

  async function answer(message: IncomingMessage): Promise<ArmReply> {
    const method = message.method ?? 'GET';
    const url = urlOf(message);
    const match = find(method, url.pathname);
    if (match === undefined || match.route.open !== true) await authenticate(message, options);
    const apiVersion = url.searchParams.get('api-version') ?? '';
    requireApiVersion(url.pathname, apiVersion);
    requireSubscription(url.pathname, options.subscription);
    if (match === undefined) throw unknownPath(method, url.pathname);
    const request: ArmRequest = {
      method,
      base: url.origin,
      path: url.pathname,
      apiVersion,
      parameters: match.parameters,
      query: url.searchParams,
      headers: message.headers,
      body: await readJson(message),
      fault: undefined,
    };
    const { route } = match;
    options.checkBody(request);
    const fault = route.fault && options.faults.take(route.fault, request.parameters.name ?? '');
    const handle = async (handled: ArmRequest) => withOperation(await route.handle(handled), handled);
    if (!fault) return handle(request);
    if (fault.when === 'in-operation' || (fault.when === 'at-once' && route.meetsFaults === true))
      return handle({ ...request, fault });
    await wait(fault.delayMs);
    if (fault.when === 'after-commit-reply-lost') return { ...(await handle(request)), loseReply: true };
    const refusal = refusalOf(fault);
    if (refusal === undefined) return handle(request);
    throw refusal;
  }

  const withOperation = (reply: ArmReply, request: ArmRequest): ArmReply =>
    reply.operation === undefined
      ? reply
      : { ...reply, headers: { ...reply.headers, ...options.operationHeaders(reply.operation, request) } };

  return createServer({ cert: options.certificate, key: options.key }, (message, response) => {
    answer(message)
      .catch(errorReply)
      .then((reply) => send(message, response, reply))
      .catch((error: unknown) => {
        console.error(`arm: the answer to ${message.method} ${message.url} could not be sent:`, error);
        response.destroy();
      });
  });
}

function urlOf(message: IncomingMessage): URL {
  const base = `https://${message.headers.host ?? 'localhost'}`;
  const url = URL.canParse(base) && URL.parse(message.url ?? '/', base);
  if (url) return url;
  throw new ArmError(400, 'InvalidRequestUri', "The request's path or host is malformed.");
}

function requireApiVersion(path: string, version: string): void {
  if (path.toLowerCase().startsWith('/local/')) return;
  if (version === '')
    throw new ArmError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  if (!/^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/.test(version))
    throw new ArmError(
      400,
      'InvalidApiVersionParameter',
      `The api-version '${version}' is invalid. The expected form is yyyy-MM-dd.`,
    );
}

function requireSubscription(path: string, subscription: string): void {
  const asked = /^\/subscriptions\/([^/]+)/i.exec(path)?.[1];
  if (asked === undefined || asked.toLowerCase() === subscription.toLowerCase()) return;
  throw new ArmError(404, 'SubscriptionNotFound', `The subscription '${asked}' could not be found.`);
}

function unknownPath(method: string, path: string): ArmError {
  if (!/^\/(subscriptions|providers|tenants|local)(\/|$)/i.test(path))
    return new ArmError(
      404,
      'MissingSubscription',
      'The request did not have a subscription or a valid tenant level resource provider.',
    );
  return new ArmError(
    404,
    'InvalidResourceType',
    `The resource type could not be found for ${method} ${path}: the local data centre does not serve it.`,
  );
}

function errorReply(error: unknown): ArmReply {
  if (error instanceof ArmError)
    return {
      status: error.status,
      headers: error.headers,
      body: { error: { code: error.code, message: error.message } },
    };
  console.error('arm: unexpected error:', error);
  return {
    status: 500,
    body: {
      error: {
        code: 'InternalServerError',
        message: 'The endpoint met an unexpected error; its log says more.',
      },
    },
  };
}

function send(message: IncomingMessage, response: ServerResponse, reply: ArmReply): void {
  if (reply.loseReply === true) {
    response.destroy();
    return;
  }
  const headers: Record<string, string> = { 'Cache-Control': 'no-cache', ...reply.headers };
  const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? undefined);
  if (text !== undefined) headers['Content-Type'] ??= 'application/json; charset=utf-8';
  response.writeHead(reply.status, headers);
  response.end(message.method === 'HEAD' ? undefined : text);
}
