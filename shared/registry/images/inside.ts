import { z } from 'zod';
import type { Principal } from '../../auth/credentials.ts';
import type { RepositoryName } from '../../model/image.ts';
import { grant } from '../access.ts';
import type { Policies } from '../policy/policy-store.ts';
import type { RegistryTokens } from '../tokens.ts';
import { refusalOf } from './refusal.ts';

/** Seconds: a token serves one request, inside this process. */
const TOKEN_LIFE = 60;

/** The registry as the caller of the API may use it: requests under `/v2/` that do not leave this process. */
export interface InsideRegistry {
  /** @throws Terminal, Retryable: what the registry refused, as the API says it */
  request(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: `/v2/${string}`,
    asking: {
      /** Repositories whose rights the token needs; it gets those that the caller has. */
      readonly repositories: readonly RepositoryName[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: Uint8Array;
    },
  ): Promise<Response>;
}

export interface Asking {
  readonly principal: Principal;
  /** Under which the client reached us. */
  readonly origin: string;
  /** Of the client's request: who asks, for the audit. */
  readonly headers: { get(name: string): string | null };
}

export function insideRegistry(
  handle: (request: Request) => Promise<Response>,
  { tokens, policies }: { readonly tokens: RegistryTokens; readonly policies: Policies },
  { principal, origin, headers: outer }: Asking,
): InsideRegistry {
  return {
    async request(method, path, { repositories, headers = {}, body }) {
      const scopes = repositories.map((name) => `repository:${name}:pull,push,delete`);
      const access = await grant(
        principal,
        scopes,
        async (repository) => (await policies.of(repository)).anonymousPull,
      );
      const token = await tokens.issue(principal.id, access, TOKEN_LIFE);
      const all = new Headers({ ...headers, authorization: `Bearer ${token}` });
      for (const name of ['x-forwarded-for', 'user-agent']) {
        const value = outer.get(name);
        if (value !== null) all.set(name, value);
      }
      const response = await handle(
        new Request(`${origin}${path}`, {
          method,
          headers: all,
          ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
        }),
      );
      if (!response.ok) throw await refused(response);
      return response;
    },
  };
}

const Errors = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string() })).min(1) });

async function refused(response: Response): Promise<Error> {
  const parsed = Errors.safeParse(await response.json().catch(() => undefined));
  const [{ code, message } = { code: 'UNKNOWN', message: `status ${response.status}` }] =
    parsed.data?.errors ?? [];
  if (response.status >= 500) return new Error(`the registry answered ${response.status}: ${message}`);
  // Inside, a token that does not suffice means that the caller may not.
  const status = response.status === 401 ? 403 : response.status;
  return refusalOf({ code, message, status, retryAfter: response.headers.get('retry-after') });
}
