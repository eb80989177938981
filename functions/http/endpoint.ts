import {
  app,
  type HttpHandler,
  type HttpRequest,
  HttpResponse,
  type HttpResponseInit,
  type InvocationContext,
} from '@azure/functions';
import * as df from 'durable-functions';
import { isHidden, problemOf } from '../../shared/api/problem.ts';
import type { Route } from '../../shared/api/route.ts';
import { authorise } from '../../shared/auth/authorise.ts';
import { authoriseNamed } from '../../shared/auth/authorise-named.ts';
import type { Principal } from '../../shared/auth/credentials.ts';
import { addressOf } from '../../shared/auth/rate-limit/address.ts';
import { type Services, services } from '../services.ts';
import { readBody } from './read-body.ts';

/** A request that was parsed and allowed. */
export interface Call<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly principal: Principal | undefined;
  readonly request: HttpRequest;
  readonly context: InvocationContext;
  readonly services: Services;
}

/** A route with what answers it. */
export interface Endpoint {
  readonly route: Route;
  /** Answers one request; the host calls it with this process's services, tests with theirs. */
  answer(
    request: HttpRequest,
    context: InvocationContext,
    services: Services,
  ): Promise<HttpResponse | HttpResponseInit>;
}

/**
 * Registers a route of the API. The handler returns the answer's JSON value, or an `HttpResponse` where more than that
 * is to be said; what it throws becomes problem details.
 * @param options `durable`: the handler needs a durable client, `df.getClient(call.context)`
 */
export function endpoint<P, Q, B, A>(
  route: Route<P, Q, B, A>,
  handler: (call: Call<P, Q, B>) => Promise<A | HttpResponse>,
  options: { durable?: boolean } = {},
): Endpoint {
  const answer: Endpoint['answer'] = async (request, context, made) => {
    try {
      const principal = await admit(request, made);
      authorise(principal, route.permission);
      const params = route.params.parse({ ...request.params });
      const query = route.query.parse(Object.fromEntries(request.query));
      const body = (route.body === undefined ? undefined : await readBody(request, route.body)) as B;
      authoriseNamed(principal, route, [params, query, body]);
      const value = await handler({ params, query, body, principal, request, context, services: made });
      if (value instanceof HttpResponse) return value;
      return route.status === 204 ? { status: 204 } : { status: route.status, jsonBody: value };
    } catch (error) {
      return problemResponse(error, context);
    }
  };
  app.http(`api-${route.name}`, {
    methods: [route.method],
    route: route.path.slice(1),
    authLevel: 'anonymous',
    ...(options.durable === true ? { extraInputs: [df.input.durableClient()] } : {}),
    handler: (request, context) => answer(request, context, services()),
  });
  return { route: route as Route, answer };
}

/** For routes with a proof of their own (a machine's token, a signature): what they throw becomes problem details. */
export const withProblems =
  (handler: HttpHandler): HttpHandler =>
  async (request, context) => {
    try {
      return await handler(request, context);
    } catch (error) {
      return problemResponse(error, context);
    }
  };

/** An error as the answer to a request; errors that are not ours go to the log, under the id that the answer names. */
export function problemResponse(error: unknown, context: InvocationContext): HttpResponseInit {
  const { status, headers, problem } = problemOf(error, context.invocationId);
  if (isHidden({ status, headers, problem })) context.error(`${problem.instance}:`, error);
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer realm="berth"' } : {};
  return { status, headers: { ...headers, ...challenge }, body: JSON.stringify(problem) };
}

/** Who asks, if he does not ask too often. @throws TooManyRequests */
async function admit(request: HttpRequest, made: Services): Promise<Principal | undefined> {
  const { limits } = made.registry;
  const address = addressOf(request.headers.get('x-forwarded-for'));
  const isNamed = request.headers.has('authorization');
  if (isNamed) limits?.login(address);
  const principal = await principalOf(request, made);
  if (principal !== undefined) limits?.principal(principal.id);
  else limits?.address(address);
  if (isNamed && principal === undefined) limits?.failedLogin(address);
  return principal;
}

/** Bearer carries the key or the tenant's token alone; Basic carries it as the password, with any user. */
async function principalOf(request: HttpRequest, made: Services): Promise<Principal | undefined> {
  const header = request.headers.get('authorization') ?? '';
  const [, scheme = '', credentials = ''] = /^(\S+)\s+(\S+)$/.exec(header.trim()) ?? [];
  const { credentials: known } = made;
  if (scheme.toLowerCase() === 'bearer') return known.check('', credentials);
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const [user = '', ...secret] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
  return known.check(user, secret.join(':'));
}
