import { z } from 'zod';
import type { Credentials } from '../auth/credentials.ts';
import { grant } from './access.ts';
import { RegistryError } from './errors.ts';
import { readLimited } from './read-limited.ts';
import type { RegistryTokens } from './tokens.ts';

/** Seconds that a client's token lives; clients ask for another by themselves. */
export const LIFETIME = 300;
const FORM_LIMIT = 64 * 1024;

const Form = z.object({
  grant_type: z.literal('password'),
  username: z.string().default(''),
  password: z.string(),
  scope: z.string().default(''),
});

interface Deps {
  readonly credentials: Credentials;
  readonly tokens: RegistryTokens;
  readonly now: () => Date;
}

/**
 * Gives tokens for API keys: GET with Basic credentials (https://distribution.github.io/distribution/spec/auth/token/), or
 * POST of a form with grant_type=password (https://distribution.github.io/distribution/spec/auth/oauth/).
 * @throws RegistryError UNAUTHORIZED if the key is not valid
 */
export async function answerToken({ credentials, tokens, now }: Deps, request: Request): Promise<Response> {
  const asked = request.method === 'POST' ? await formOf(request) : queryOf(request);
  const principal = asked && (await credentials.check(asked.user, asked.secret));
  if (asked === undefined || principal === undefined)
    throw new RegistryError('UNAUTHORIZED', 'the registry takes an API key of Berth as the password', {
      headers: { 'www-authenticate': 'Basic realm="berth"' },
    });
  const token = await tokens.issue(principal.id, grant(principal, asked.scopes), LIFETIME);
  return Response.json(
    { token, access_token: token, expires_in: LIFETIME, issued_at: now().toISOString() },
    { headers: { 'cache-control': 'no-store' } },
  );
}

interface Asked {
  readonly user: string;
  readonly secret: string;
  readonly scopes: readonly string[];
}

const scopesIn = (texts: readonly string[]): string[] =>
  texts.flatMap((text) => text.split(' ')).filter((scope) => scope !== '');

function queryOf(request: Request): Asked | undefined {
  const encoded = /^Basic +(?<value>[A-Za-z0-9+/=_-]+)$/i.exec(
    request.headers.get('authorization') ?? '',
  )?.groups;
  const decoded = Buffer.from(encoded?.value ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) return undefined;
  const scopes = scopesIn(new URL(request.url).searchParams.getAll('scope'));
  return { user: decoded.slice(0, colon), secret: decoded.slice(colon + 1), scopes };
}

async function formOf(request: Request): Promise<Asked | undefined> {
  const bytes = await readLimited(request, FORM_LIMIT);
  const form = Form.safeParse(Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes))));
  if (!form.success)
    throw new RegistryError(
      'UNSUPPORTED',
      'this endpoint takes grant_type=password with username and password',
      {
        status: 400,
      },
    );
  const { username, password, scope } = form.data;
  return { user: username, secret: password, scopes: scopesIn([scope]) };
}
