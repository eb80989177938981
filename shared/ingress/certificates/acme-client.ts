import { calculateJwkThumbprint, exportJWK, FlattenedSign, importPKCS8, type JWK } from 'jose';
import { z } from 'zod';
import { Retryable, Terminal } from '../../model/errors.ts';

/** An authority that speaks RFC 8555. */
export interface AcmeAuthority {
  /** URL of its directory. */
  readonly directory: string;
  /** mailto: address, told to the authority. */
  readonly contact: string | undefined;
}

/** An order whose host has to be shown to be ours: `answer` must be found under the token before `finish` is called. */
interface AcmeOrder {
  /** Absent: the authority knows already. */
  readonly challenge: { readonly token: string; readonly answer: string } | undefined;
  /**
   * Has the authority look, and gets the certificate. @param csr DER, base64url
   * @returns PEM chain
   */
  finish(csr: string): Promise<string>;
}

const Directory = z.object({ newNonce: z.url(), newAccount: z.url(), newOrder: z.url() });
const Problem = z.object({ type: z.string().default('about:blank'), detail: z.string().default('') });
const Order = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  authorizations: z.array(z.url()),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: Problem.optional(),
});
const Authorization = z.object({
  status: z.string(),
  challenges: z.array(
    z.object({ type: z.string(), url: z.url(), token: z.string().default(''), error: Problem.optional() }),
  ),
});

/** Milliseconds: of one request, between looks, and until an order must have ended. */
const REQUEST_MS = 20_000;
const LOOK_MS = 1_000;
const ORDER_MS = 90_000;

export interface AcmePorts {
  fetch: typeof fetch;
  sleep(milliseconds: number): Promise<void>;
  now(): Date;
}

/**
 * Begins an order for one host. RFC 8555, 7.
 * @param key of the account, PKCS #8 PEM, P-256: an account comes to be with its first order
 * @throws Terminal `acme-refused` with the authority's reason; Retryable `acme-unreachable`
 */
export async function orderCertificate(
  { directory, contact }: AcmeAuthority,
  key: string,
  host: string,
  ports: AcmePorts,
): Promise<AcmeOrder> {
  const session = await open(directory, key, ports);
  const account = { termsOfServiceAgreed: true, ...(contact !== undefined && { contact: [contact] }) };
  await session.register(account);
  const created = await session.post(session.urls.newOrder, { identifiers: [{ type: 'dns', value: host }] });
  const order = Order.parse(created.body);
  const location = created.location ?? '';
  const [authorization = ''] = order.authorizations;
  const found = Authorization.parse((await session.post(authorization, undefined)).body);
  const challenge = found.challenges.find(({ type }) => type === 'http-01');
  if (found.status !== 'valid' && challenge === undefined)
    throw refused('the authority offers no HTTP-01 for this name');
  const open1 = found.status === 'valid' ? undefined : challenge;
  return {
    challenge: open1 && { token: open1.token, answer: `${open1.token}.${session.thumbprint}` },
    async finish(csr) {
      const until = ports.now().getTime() + ORDER_MS;
      const wait = async (): Promise<void> => {
        if (ports.now().getTime() > until) throw refused('the authority did not come to an end in time');
        await ports.sleep(LOOK_MS);
      };
      if (open1 !== undefined) {
        await session.post(open1.url, {});
        for (;;) {
          const now = Authorization.parse((await session.post(authorization, undefined)).body);
          if (now.status === 'valid') break;
          if (now.status !== 'pending')
            throw refused(
              now.challenges.find(({ error }) => error !== undefined)?.error?.detail ?? now.status,
            );
          await wait();
        }
      }
      let state = Order.parse((await session.post(order.finalize, { csr })).body);
      while (state.status === 'processing' || state.status === 'ready' || state.status === 'pending') {
        await wait();
        state = Order.parse((await session.post(location, undefined)).body);
      }
      if (state.certificate === undefined)
        throw refused(state.error?.detail ?? `the order is ${state.status}`);
      return (await session.post(state.certificate, undefined)).text;
    },
  };
}

/** Signed requests, each with a nonce of the one before. RFC 8555, 6. */
async function open(directory: string, pem: string, ports: AcmePorts) {
  const key = await importPKCS8(pem, 'ES256', { extractable: true });
  const { kty, crv, x, y } = await exportJWK(key);
  const jwk: JWK = { kty: kty ?? '', crv: crv ?? '', x: x ?? '', y: y ?? '' };
  const send = (
    url: string,
    init: { method?: string; body?: string; type?: string } = {},
  ): Promise<Response> =>
    ports
      .fetch(url, {
        method: init.method ?? 'GET',
        // Both are asked for: RFC 8555, 6.1 and 6.2.
        headers: { 'user-agent': 'berth', ...(init.type !== undefined && { 'content-type': init.type }) },
        ...(init.body !== undefined && { body: init.body }),
        signal: AbortSignal.timeout(REQUEST_MS),
      })
      .catch((cause: unknown) => {
        throw unreachable(directory, cause);
      });
  const listed = await send(directory);
  if (!listed.ok) throw unreachable(directory, `it answered ${listed.status}`);
  const urls = Directory.parse(await listed.json());
  let nonce: string | undefined;
  let account: string | undefined;

  const post = async (url: string, payload: unknown, tries = 1): Promise<Answer> => {
    nonce ??= (await send(urls.newNonce, { method: 'HEAD' })).headers.get('replay-nonce') ?? '';
    const bytes = new TextEncoder().encode(payload === undefined ? '' : JSON.stringify(payload));
    const identity = account === undefined ? { jwk } : { kid: account };
    const signed = await new FlattenedSign(bytes)
      .setProtectedHeader({ alg: 'ES256', nonce, url, ...identity })
      .sign(key);
    const response = await send(url, {
      method: 'POST',
      type: 'application/jose+json',
      body: JSON.stringify(signed),
    });
    nonce = response.headers.get('replay-nonce') ?? undefined;
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
    if (response.ok) return { body, text, location: response.headers.get('location') ?? undefined };
    const problem = Problem.safeParse(body).data;
    if (problem?.type.endsWith(':badNonce') === true && tries < 4) return await post(url, payload, tries + 1);
    if (response.status >= 500)
      throw unreachable(directory, problem?.detail ?? `it answered ${response.status}`);
    throw refused(problem?.detail ?? `it answered ${response.status}`);
  };
  return {
    urls,
    thumbprint: await calculateJwkThumbprint(jwk),
    post,
    async register(body: unknown): Promise<void> {
      account = (await post(urls.newAccount, body)).location;
    },
  };
}

interface Answer {
  readonly body: unknown;
  readonly text: string;
  readonly location: string | undefined;
}

const refused = (reason: string): Terminal =>
  new Terminal({
    code: 'acme-refused',
    message: reason,
    remedy: 'See that the name leads to the address that berth routes shows, on port 80.',
  });

const unreachable = (directory: string, cause: unknown): Retryable =>
  new Retryable({
    code: 'acme-unreachable',
    message: `${directory} does not answer: ${cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause)}`,
    remedy: 'It is tried again.',
    cause,
  });
