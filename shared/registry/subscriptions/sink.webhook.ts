import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { signStandardWebhook } from '../../events/standard-webhooks.ts';
import type { Sink } from '../../model/subscription.ts';
import { refusalOfAddress } from './addresses.ts';
import { checkedLookup } from './checked-lookup.ts';
import type { Message } from './message.ts';
import type { Delivered, OpenSink } from './sinks.ts';

/** A receiver must have answered within this, milliseconds; it may take the event and do its work later. */
const PATIENCE_MS = 15_000;
/** How much of an answer is kept, characters. */
const KEPT = 300;
/** How much of an answer is read, bytes. */
const READ = 16 * 1024;

type Webhook = Extract<Sink, { kind: 'webhook' }>;

/**
 * Deliveries by POST, signed as https://www.standardwebhooks.com says. Redirects are not followed: they are failures. The address
 * that a name stands for is checked when it is connected to, so that it cannot change between.
 * @param secrets the newest first
 * @param trust certificates of authorities to trust besides the usual ones, PEM
 */
export function webhookSink(
  sink: Webhook,
  { secrets, now }: { readonly secrets: readonly string[]; readonly now: () => Date },
): OpenSink {
  return {
    async send(message) {
      const refusal = refusalOf(sink);
      if (refusal !== undefined) return { outcome: 'failed', reason: refusal.why };
      const headers = await signStandardWebhook(`msg_${message.id}`, message.body, secrets, now());
      try {
        return verdictOn(await post(sink, message, headers), now());
      } catch (error) {
        return { outcome: 'failed', reason: `${hostOf(sink)}: ${messageIn(error)}` };
      }
    },
    close: async () => {},
  };
}

export interface Refusal {
  readonly why: string;
  /** What helps, as the command line and the API call it. */
  readonly remedy: string;
}

/** What is wrong with where a subscription wants its events sent, as far as the address itself says it. */
export function refusalOf({ url, allowHttp, allowPrivate }: Webhook): Refusal | undefined {
  const { protocol, hostname, username, password } = new URL(url);
  if (protocol === 'http:' && !allowHttp)
    return {
      why: 'the address is not https, and http is not allowed for it',
      remedy: 'Give an https address, or allow http: --allow-http (in the API: "allowHttp": true).',
    };
  if (username !== '' || password !== '')
    return {
      why: 'the address holds a user or password',
      remedy:
        'Leave them out. Deliveries are signed, and the receiver checks that with the secret that is shown once the subscription is made; for a new one: berth registry subscriptions secret NAME',
    };
  const host = hostname.replace(/^\[|\]$/g, '');
  const why = isIP(host) === 0 ? undefined : refusalOfAddress(host, allowPrivate);
  if (why === undefined) return undefined;
  return {
    why,
    remedy:
      refusalOfAddress(host, true) === undefined
        ? 'Give a public address, or allow private ones: --allow-private (in the API: "allowPrivate": true).'
        : 'Give the address of a receiver: nothing is ever sent to this one, and no option allows it.',
  };
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

function verdictOn({ status, retryAfter, text }: Answer, now: Date): Delivered {
  const answer = `${status}${text === '' ? '' : ` ${text}`}`;
  if (status >= 200 && status < 300) return { outcome: 'accepted', answer };
  if (status >= 300 && status < 400)
    return { outcome: 'failed', reason: `answered ${answer}; redirects are not followed` };
  // Standard Webhooks, "Delivery": 410 says that nothing wants to be sent there any more.
  return {
    outcome: 'failed',
    reason: `answered ${answer}`,
    retryAfter: secondsOf(retryAfter, now),
    final: status === 410,
  };
}

/** RFC 9110, "Retry-After": seconds or a date. */
function secondsOf(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

function post(
  { url, allowPrivate }: Webhook,
  { body, contentType }: Message,
  signed: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((done, failed) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const request = send(url, {
      method: 'POST',
      headers: {
        'content-type': contentType,
        'content-length': body.length,
        'user-agent': 'berth-registry',
        ...signed,
      },
      lookup: checkedLookup(allowPrivate),
      signal,
      // A connection of its own: one that was kept may have been opened for another name.
      agent: false,
    });
    const fail = (error: Error): void =>
      failed(signal.aborted ? new Error(`no answer within ${PATIENCE_MS / 1000} s`) : error);
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const end = (): void => {
        const text = Buffer.concat(chunks).toString('utf8').replace(/\s+/g, ' ').trim().slice(0, KEPT);
        const status = response.statusCode ?? 0;
        done({ status, retryAfter: response.headers['retry-after'], text });
      };
      response.on('error', fail);
      response.on('end', end);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size < READ) return;
        end();
        response.destroy();
      });
    });
    request.end(body);
  });
}

const hostOf = ({ url }: Webhook): string => new URL(url).host;

const messageIn = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(messageIn).join(', ');
  return error instanceof Error ? error.message : String(error);
};
