import { addressOf } from '../auth/rate-limit/address.ts';
import { TooManyRequests } from '../auth/rate-limit/too-many-requests.ts';
import { Retryable } from '../model/errors.ts';
import { RepositoryName } from '../model/image.ts';
import type { Need } from './access.ts';
import { authorise } from './authorise.ts';
import type { Caller, Handler, RegistryDeps } from './call.ts';
import { errorResponse, RegistryError } from './errors.ts';
import { resources } from './routes.ts';
import { storageFault } from './storage-fault.ts';
import { ANONYMOUS, answerToken } from './token-endpoint.ts';

/**
 * The registry under `/v2/`: OCI Distribution 1.1, with the token endpoint `/v2/token` and its keys.
 * @returns a function that answers every request, errors of its own included
 */
export function registryHandler(deps: RegistryDeps): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await answer(deps, request).catch((error: unknown) => {
      if (error instanceof RegistryError) return errorResponse(error);
      if (error instanceof TooManyRequests) return errorResponse(notSoOften(error));
      deps.report(error);
      if (error instanceof Retryable) return errorResponse(notNow(error));
      return errorResponse(
        storageFault(error) ?? new RegistryError('UNKNOWN', 'the registry failed; its log has the reason'),
      );
    });
    response.headers.set('docker-distribution-api-version', 'registry/2.0');
    return request.method === 'HEAD' && response.body !== null ? new Response(null, response) : response;
  };
}

/** What is not there now may be in a moment: clients ask again. */
const notNow = ({ message, afterMs = 1000 }: Retryable): RegistryError =>
  new RegistryError('UNAVAILABLE', message, {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(afterMs / 1000))) },
  });

const notSoOften = ({ message, remedy, afterSeconds }: TooManyRequests): RegistryError =>
  new RegistryError('TOOMANYREQUESTS', `${message} ${remedy}`, {
    headers: { 'retry-after': String(afterSeconds) },
  });

async function answer(deps: RegistryDeps, request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname === '/v2/token') return answerToken(deps, request);
  if (url.pathname === '/v2/token/jwks' && (request.method === 'GET' || request.method === 'HEAD'))
    return answerJwks(deps);
  const { name, reference, kind, handler } = match(request.method, decode(url.pathname));
  const need: Need =
    kind === 'token' || kind === 'catalog'
      ? { kind }
      : { kind: 'repository', name: parseName(name), action: kind };
  const caller = await admit(deps, request, need);
  const repository = need.kind === 'repository' ? need.name : ('' as RepositoryName);
  return handler(deps, { request, url, repository, reference, caller });
}

/** Who asks, if he may and does not ask too often. @throws RegistryError; TooManyRequests */
async function admit({ tokens, limits }: RegistryDeps, request: Request, need: Need): Promise<Caller> {
  const caller = await authorise(tokens, request, need).catch((error: unknown) => {
    limits?.address(addressOf(request.headers.get('x-forwarded-for')));
    throw error;
  });
  if (caller.id === ANONYMOUS) limits?.address(caller.address);
  else limits?.principal(caller.id);
  return caller;
}

/** Public, as the keys of every issuer are; instances read theirs again after a minute. */
const answerJwks = async ({ tokens }: RegistryDeps): Promise<Response> =>
  Response.json(await tokens.jwks(), {
    headers: { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=60' },
  });

interface Match {
  readonly name: string;
  readonly reference: string;
  readonly kind: 'token' | 'catalog' | 'pull' | 'push' | 'delete';
  readonly handler: Handler;
}

/** @throws RegistryError NAME_UNKNOWN if the path is no resource, UNSUPPORTED if it has no such method */
function match(method: string, path: string): Match {
  for (const resource of resources) {
    const found = resource.path.exec(path);
    if (found === null) continue;
    const entry = resource.methods[method === 'HEAD' ? 'GET' : method];
    if (entry === undefined)
      throw new RegistryError('UNSUPPORTED', `${method} is not for ${path}`, {
        headers: { allow: Object.keys(resource.methods).join(', ') },
      });
    const [kind, handler] = entry;
    return {
      name: found.groups?.name ?? '',
      reference: found.groups?.reference ?? '',
      kind,
      handler,
    };
  }
  throw new RegistryError('NAME_UNKNOWN', `${path} is no resource of a registry`);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new RegistryError('NAME_INVALID', `${path} is not well encoded`);
  }
}

function parseName(text: string): RepositoryName {
  const name = RepositoryName.safeParse(text);
  if (!name.success)
    throw new RegistryError('NAME_INVALID', `"${text}" is no repository: ${name.error.issues[0]?.message}`);
  return name.data;
}
