import { z } from 'zod';
import type { Credentials } from '../auth/credentials.ts';
import { addressOf } from '../auth/rate-limit/address.ts';
import type { Limits } from '../auth/rate-limit/limits.ts';
import { grant } from './access.ts';
import { RegistryError } from './errors.ts';
import type { Policies } from './policy/policy-store.ts';
import { readLimited } from './read-limited.ts';
import type { RegistryTokens } from './tokens.ts';

/** Seconds that a client's token lives; clients ask for another by themselves. */
export const LIFETIME = 300;
const FORM_LIMIT = 64 * 1024;
/** Clients ask for a handful: one each for what is pushed and what is mounted. */
const MOST_SCOPES = 64;

const scope = z.string().default('');
/** An API key or a token of the tenant, under each name by which clients send such a thing. */
const Form = z.discriminatedUnion('grant_type', [
  z.object({
    grant_type: z.literal('password'),
    username: z.string().default(''),
    password: z.string(),
    scope,
  }),
  z.object({ grant_type: z.literal('refresh_token'), refresh_token: z.string(), scope }),
  z.object({ grant_type: z.literal('access_token'), access_token: z.string(), scope }),
]);

interface Deps {
  readonly credentials: Credentials;
  readonly tokens: RegistryTokens;
  readonly policies: Policies;
  readonly now: () => Date;
  readonly limits?: Limits | undefined;
}

/** Who a token says is calling, where nobody said who he is. */
export const ANONYMOUS = 'anonymous';

/**
 * Gives tokens for API keys and for access tokens of the tenant, and without either for what everybody may pull: GET with
 * Basic credentials (https://distribution.github.io/distribution/spec/auth/token/), or POST of a form
 * (https://distribution.github.io/distribution/spec/auth/oauth/): grant_type=password, refresh_token (what clients send whose
 * credential helper names no user) or access_token (what clients of Azure's registries send).
 * @throws RegistryError UNAUTHORIZED if the key is not valid, and without a key if nothing of what is asked for is public:
 * whether it exists makes no difference; TooManyRequests
 */
export async function answerToken(deps: Deps, request: Request): Promise<Response> {
  const { credentials, tokens, policies, limits, now } = deps;
  const { credential, scopes } = request.method === 'POST' ? await formOf(request) : queryOf(request);
  const address = addressOf(request.headers.get('x-forwarded-for'));
  if (credential === undefined) limits?.address(address);
  else limits?.login(address);
  const principal = credential && (await credentials.check(credential.user, credential.secret));
  if (credential !== undefined && principal === undefined) {
    limits?.failedLogin(address);
    throw unauthorized();
  }
  if (principal !== undefined) limits?.principal(principal.id);
  const access = await grant(
    principal,
    scopes,
    async (repository) => (await policies.of(repository)).anonymousPull,
  );
  if (principal === undefined && access.length === 0) throw unauthorized();
  const token = await tokens.issue(principal?.id ?? ANONYMOUS, access, LIFETIME);
  return Response.json(
    { token, access_token: token, expires_in: LIFETIME, issued_at: now().toISOString() },
    { headers: { 'cache-control': 'no-store' } },
  );
}

const unauthorized = (): RegistryError =>
  new RegistryError(
    'UNAUTHORIZED',
    'the registry takes an API key of Berth, or an access token of its tenant, as the password',
    {
      headers: { 'www-authenticate': 'Basic realm="berth"' },
    },
  );

interface Asked {
  /** Undefined: the request has none. One that makes no sense is no valid one. */
  readonly credential: { readonly user: string; readonly secret: string } | undefined;
  readonly scopes: readonly string[];
}

/** @throws RegistryError UNSUPPORTED 400 */
function scopesIn(texts: readonly string[]): readonly string[] {
  const scopes = [...new Set(texts.flatMap((text) => text.split(' ')).filter((scope) => scope !== ''))];
  if (scopes.length > MOST_SCOPES)
    throw new RegistryError(
      'UNSUPPORTED',
      `a token has at most ${MOST_SCOPES} scopes, not ${scopes.length}`,
      {
        status: 400,
      },
    );
  return scopes;
}

function queryOf(request: Request): Asked {
  const scopes = scopesIn(new URL(request.url).searchParams.getAll('scope'));
  const header = request.headers.get('authorization');
  if (header === null) return { credential: undefined, scopes };
  const encoded = /^Basic +(?<value>[A-Za-z0-9+/=_-]+)$/i.exec(header)?.groups;
  const decoded = Buffer.from(encoded?.value ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const credential =
    colon < 0
      ? { user: '', secret: '' }
      : { user: decoded.slice(0, colon), secret: decoded.slice(colon + 1) };
  return { credential, scopes };
}

async function formOf(request: Request): Promise<Asked> {
  const bytes = await readLimited(request, FORM_LIMIT);
  const form = Form.safeParse(Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes))));
  if (!form.success)
    throw new RegistryError(
      'UNSUPPORTED',
      'this endpoint takes grant_type=password with username and password, or refresh_token or access_token with one',
      { status: 400 },
    );
  const scopes = scopesIn([form.data.scope]);
  switch (form.data.grant_type) {
    case 'password':
      return { credential: { user: form.data.username, secret: form.data.password }, scopes };
    case 'refresh_token':
      return { credential: { user: '', secret: form.data.refresh_token }, scopes };
    case 'access_token':
      return { credential: { user: '', secret: form.data.access_token }, scopes };
  }
}
