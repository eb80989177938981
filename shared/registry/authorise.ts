import { addressOf } from '../auth/rate-limit/address.ts';
import { RepositoryName } from '../model/image.ts';
import { allows, type Need, scopeOf } from './access.ts';
import type { Caller } from './call.ts';
import { RegistryError } from './errors.ts';
import { type RegistryTokens, SERVICE } from './tokens.ts';

/**
 * The one check that every route goes through.
 * @returns who asks
 * @throws RegistryError UNAUTHORIZED or DENIED, each with the challenge that says where the right token is to be had
 */
export async function authorise(tokens: RegistryTokens, request: Request, need: Need): Promise<Caller> {
  const challenge = challengeOf(new URL(request.url), need);
  const token = /^Bearer +(?<token>\S+)$/i.exec(request.headers.get('authorization') ?? '')?.groups?.token;
  if (token === undefined)
    throw new RegistryError('UNAUTHORIZED', 'authentication required', {
      headers: { 'www-authenticate': challenge },
    });
  const verified = await tokens.verify(token);
  if (verified === undefined)
    throw new RegistryError('UNAUTHORIZED', 'the token is not of this registry, or has expired', {
      headers: { 'www-authenticate': `${challenge},error="invalid_token"` },
    });
  if (!allows(verified.access, need))
    // 401, not 403: clients then ask for a token with the scope that they are told here.
    throw new RegistryError('DENIED', `the token does not give ${scopeOf(need) ?? 'this'}`, {
      status: 401,
      headers: { 'www-authenticate': `${challenge},error="insufficient_scope"` },
    });
  return { ...verified, address: addressOf(request.headers.get('x-forwarded-for')) };
}

function challengeOf({ origin, searchParams }: URL, need: Need): string {
  const scopes = [scopeOf(need)];
  // A mount goes on as an upload where the token does not give the other repository; so it is asked for at once.
  const from = RepositoryName.safeParse(searchParams.get('from'));
  if (searchParams.has('mount') && from.success)
    scopes.push(scopeOf({ kind: 'repository', name: from.data, action: 'pull' }));
  const scope = scopes.filter((text) => text !== undefined).join(' ');
  // The client must reach the realm as it reached us: under whatever name and port it used.
  return `Bearer realm="${origin}/v2/token",service="${SERVICE}"${scope === '' ? '' : `,scope="${scope}"`}`;
}
