import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Retryable, Terminal } from '../../model/errors.ts';
import { hostOfUrl, type RegistryAddress, type RegistryCredential } from '../../model/registry-address.ts';
import { authentication, type Scope } from './authentication.ts';
import { type Outgoing, wire } from './exchange.ts';
import {
  isTrust,
  upstreamDown,
  upstreamLimited,
  upstreamMissing,
  upstreamRefused,
  upstreamUntrusted,
  upstreamWrong,
  whyOf,
} from './faults.ts';

/** One request to a registry. */
export interface Asking {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, or a whole URL that the registry gave. */
  readonly path: string;
  readonly scope: Scope;
  /** What it is about, for error messages: `docker.io/library/nginx:1.27`. */
  readonly where: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Outgoing['body'];
}

/** A registry, with its credential, its tokens and its connections. */
export interface Connection {
  readonly host: string;
  /**
   * The answer whatever its status, once challenges were answered and redirects followed.
   * @throws Retryable `upstream-unreachable`; Terminal `upstream-unauthorized`, `upstream-untrusted`,
   *   `upstream-answer-invalid`
   */
  ask(asking: Asking): Promise<IncomingMessage>;
  close(): void;
}

/** Milliseconds without a byte after which a registry counts as down. */
const PATIENCE = 20_000;
const MOST_REDIRECTS = 5;
/** Bytes of an error or token that are read. */
const SMALL = 256 * 1024;
/** What a registry that limits us says nothing about: milliseconds. */
const LIMITED_FOR = 60_000;

export interface ConnectionOptions {
  readonly credential?: RegistryCredential | undefined;
  readonly patience?: number;
  /** Whether it may lie at a private address; yes if absent. */
  readonly allowPrivate?: boolean;
  readonly now?: () => Date;
}

export function connection(address: RegistryAddress, options: ConnectionOptions = {}): Connection {
  const { credential, patience = PATIENCE, allowPrivate = true, now = () => new Date() } = options;
  const { send, close } = wire(address.authority, allowPrivate);
  const host = hostOfUrl(address.url);

  const sendTo = async (outgoing: Omit<Outgoing, 'patience'>, where: string): Promise<IncomingMessage> => {
    if (outgoing.url.protocol !== 'https:' && !(address.plainHttp && outgoing.url.protocol === 'http:'))
      throw upstreamWrong(where, `it points to ${outgoing.url.origin}, which is not encrypted`);
    try {
      return await send({ ...outgoing, patience });
    } catch (error) {
      if (isTrust(error))
        throw upstreamUntrusted(
          where,
          `${outgoing.url.host} has a certificate that is not trusted: ${whyOf(error)}`,
          error,
        );
      throw upstreamDown(where, `${outgoing.url.host} does not answer: ${whyOf(error)}`, error);
    }
  };

  /** Only to where it is for: the host it goes on to has its own right in the URL. */
  const follow = async (asking: Asking, authorization: string | undefined): Promise<IncomingMessage> => {
    const { method, where, headers, body } = asking;
    const origin = new URL(address.url).origin;
    let url = new URL(asking.path, address.url);
    for (let redirects = 0; ; redirects += 1) {
      const own = authorization === undefined || url.origin !== origin ? {} : { authorization };
      const sent = { 'accept-encoding': 'identity', 'user-agent': 'berth', ...headers, ...own };
      const answer = await sendTo({ method, url, headers: sent, body }, where);
      if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0)) return answer;
      answer.resume();
      const { location = '' } = answer.headers;
      if ((method !== 'GET' && method !== 'HEAD') || !URL.canParse(location, url.href))
        throw upstreamWrong(where, `it answers ${method} with a redirect to "${location}"`);
      if (redirects === MOST_REDIRECTS) throw upstreamWrong(where, `more than ${MOST_REDIRECTS} redirects`);
      url = new URL(location, url);
    }
  };

  const { known, answer: authorise } = authentication(
    credential,
    async ({ method, url, headers, body }) => {
      const where = `token server ${url.origin}`;
      const answer = await sendTo(
        { method, url, headers: { accept: 'application/json', ...headers }, body },
        where,
      );
      const status = answer.statusCode ?? 0;
      if (status === 429 || status >= 500) throw await faultOf(answer, where);
      return { status, text: new TextDecoder().decode(await readAll(answer, SMALL, where)) };
    },
    now,
  );

  return {
    host,
    close,
    async ask(asking) {
      const first = await follow(asking, known(asking.scope));
      if (first.statusCode !== 401) return first;
      first.resume();
      const authorization = await authorise(first.headers['www-authenticate'], asking.scope, asking.where);
      return authorization === undefined ? first : follow(asking, authorization);
    },
  };
}

/** A whole small body. @throws Terminal `upstream-answer-invalid` if it is larger; Retryable if it breaks off */
export async function readAll(body: Readable, limit: number, where: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of body as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > limit) break;
      parts.push(part);
    }
  } catch (error) {
    throw upstreamDown(where, `the answer broke off: ${whyOf(error)}`, error);
  }
  if (size > limit) throw upstreamWrong(where, `the answer is larger than ${limit} bytes`);
  return Buffer.concat(parts);
}

/** The error that an answer stands for; its body is read or thrown away. */
export async function faultOf(answer: IncomingMessage, where: string): Promise<Terminal | Retryable> {
  const status = answer.statusCode ?? 0;
  const text = await readAll(answer, SMALL, where).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => '',
  );
  const said = wordsOf(text);
  if (status === 404) return upstreamMissing(where, said);
  if (status === 401 || status === 403) return upstreamRefused(where, said);
  if (status === 429) return upstreamLimited(where, waitOf(answer.headers), said);
  if (status >= 500) return upstreamDown(where, `the registry answered ${status}${said}`);
  return upstreamWrong(where, `the registry answered ${status}${said}`);
}

/** The first error of a body as OCI Distribution has them, shortened. */
function wordsOf(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] };
    const { code, message } = errors?.[0] ?? {};
    const words = [code, message].filter((word) => typeof word === 'string' && word !== '').join(': ');
    return words === '' ? '' : ` (${words.slice(0, 300)})`;
  } catch {
    return '';
  }
}

/** Retry-After in seconds or as a date, RFC 9110, 10.2.3; Docker Hub has also named the moment in X-Retry-After. */
function waitOf(headers: IncomingHttpHeaders): number {
  const after = headers['retry-after'];
  const seconds = Number(after);
  if (after !== undefined && Number.isFinite(seconds)) return Math.max(1, seconds) * 1000;
  const moment = Number(headers['x-retry-after']) * 1000 || Date.parse(after ?? '');
  return Number.isFinite(moment) ? Math.max(1000, moment - Date.now()) : LIMITED_FOR;
}
