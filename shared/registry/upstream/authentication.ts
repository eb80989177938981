import { z } from 'zod';
import type { RegistryCredential } from '../../model/registry-address.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { upstreamRefused, upstreamWrong } from './faults.ts';

/** What a token is for: https://distribution.github.io/distribution/spec/auth/scope/; empty: for nothing. */
export type Scope = '' | `repository:${string}:${'pull' | 'pull,push' | 'delete' | 'pull,push,delete'}`;

/** https://distribution.github.io/distribution/spec/auth/token/: `expires_in` is 60 where it is left out. */
const TokenAnswer = z
  .object({
    token: z.string().min(1).optional(),
    access_token: z.string().min(1).optional(),
    expires_in: z.number().positive().default(60),
  })
  .transform(({ token, access_token, expires_in }, context) => {
    const text = token ?? access_token;
    if (text !== undefined) return { text, seconds: expires_in };
    context.addIssue('expected a token');
    return z.NEVER;
  });

/** A token is used until this share of its life is over: clocks differ, and a request takes its time. */
const USED_OF_LIFE = 0.8;

/** A request to a token server: it answers JSON. @throws what a connection throws */
export type AskTokenServer = (request: {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
}) => Promise<{ readonly status: number; readonly text: string }>;

/** Finds the Authorization that a registry wants, and keeps it for as long as it holds. */
export interface Authentication {
  /** For the first attempt: what the last challenge of this scope was answered with. */
  known(scope: Scope): string | undefined;
  /**
   * @returns undefined if the registry asks for what there is no credential for
   * @throws Terminal `upstream-unauthorized` if the token server refuses
   */
  answer(header: string | undefined, scope: Scope, where: string): Promise<string | undefined>;
}

export function authentication(
  credential: RegistryCredential | undefined,
  askTokenServer: AskTokenServer,
  now: () => Date,
): Authentication {
  const kept = new Map<Scope, { readonly header: string; readonly until: number }>();

  const bearer = async (challenge: Challenge, scope: Scope, where: string): Promise<string> => {
    const { text, status } = await askTokenServer(tokenRequest(challenge, scope, credential, where));
    if (status >= 400 && status < 500)
      throw upstreamRefused(
        where,
        `: the token server answered ${status}${credential === undefined ? ' to one without a credential' : ''}`,
      );
    const parsed = TokenAnswer.safeParse(jsonOf(text));
    if (!parsed.success) throw upstreamWrong(where, `the token server answered ${status} and no token`);
    const header = `Bearer ${parsed.data.text}`;
    kept.set(scope, { header, until: now().getTime() + parsed.data.seconds * 1000 * USED_OF_LIFE });
    return header;
  };

  return {
    known(scope) {
      const found = kept.get(scope);
      if (found === undefined || found.until > now().getTime()) return found?.header;
      kept.delete(scope);
      return undefined;
    },
    async answer(header, scope, where) {
      const challenges = parseChallenges(header);
      const token = challenges.find(({ scheme }) => scheme === 'bearer');
      if (token !== undefined) return bearer(token, scope, where);
      if (!challenges.some(({ scheme }) => scheme === 'basic') || credential === undefined) return undefined;
      const basic = basicOf(credential);
      kept.set(scope, { header: basic, until: Number.POSITIVE_INFINITY });
      return basic;
    },
  };
}

const basicOf = ({ username, password }: RegistryCredential): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** Docker's and Azure's names for a password that is an identity token: OAuth 2 then, not Basic. */
const isIdentityToken = ({ username }: RegistryCredential): boolean =>
  username === '<token>' || username === '00000000-0000-0000-0000-000000000000';

function tokenRequest(
  { parameters: { realm = '', service = '', scope: asked } }: Challenge,
  scope: Scope,
  credential: RegistryCredential | undefined,
  where: string,
): Parameters<AskTokenServer>[0] {
  if (!URL.canParse(realm))
    throw upstreamWrong(where, `its token server is at "${realm}", which is no address`);
  const url = new URL(realm);
  // Some registries know scopes of their own ("aws"); the usual one is ours, which may ask for more than the challenge.
  const wanted = asked === undefined || asked.startsWith('repository:') ? scope : asked;
  if (credential !== undefined && isIdentityToken(credential)) {
    const form = {
      grant_type: 'refresh_token',
      refresh_token: credential.password,
      service,
      scope: wanted,
      client_id: 'berth',
    };
    return {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(new URLSearchParams(form).toString()),
    };
  }
  if (service !== '') url.searchParams.set('service', service);
  if (wanted !== '') url.searchParams.set('scope', wanted);
  if (credential !== undefined) url.searchParams.set('account', credential.username);
  return {
    method: 'GET',
    url,
    headers: credential === undefined ? {} : { authorization: basicOf(credential) },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
