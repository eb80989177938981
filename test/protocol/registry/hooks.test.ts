import { createHmac, randomBytes } from 'node:crypto';
import { HttpRequest } from '@azure/functions';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { allowSender, receiveHook } from '../../../functions/http/hooks.ts';
import { problemOf } from '../../../shared/api/problem.ts';
import { matchesPattern } from '../../../shared/model/pattern.ts';
import { Subscription } from '../../../shared/model/subscription.ts';
import { partitionOf, REGISTRY, TagEntry, tagRow, valuesOf } from '../../../shared/registry/repository.ts';
import { SourceSettings } from '../../../shared/registry/sources/source.ts';
import { waitingOf } from '../../../shared/registry/subscriptions/standing.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { makeAsk } from '../../support/ask.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const acr = (id: string, tag = 'v1') => ({
  id,
  timestamp: new Date().toISOString(),
  action: 'push',
  target: { digest, repository: 'team/web', tag, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
  request: { host: 'acme.azurecr.io' },
});

let server: ApiServer;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  server = await startApiServer();
  ask = makeAsk(server);
});
afterAll(() => server.close());
beforeEach(() => void server.durable.starts.splice(0));

interface Made {
  readonly secret: string;
  readonly hook: { readonly url: string };
  readonly deliveryUrl?: string;
}
const make = async (name: string, from: string, host?: string): Promise<Made> => {
  const json = { pushes: { from, ...(host === undefined ? {} : { host }) } };
  const answer = await ask('PUT', `/api/v1/hooks/${name}`, { json });
  expect(answer.status).toBe(200);
  return answer.json as Made;
};

async function deliver(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<{ status: number; headers: Record<string, string>; json: Record<string, unknown> }> {
  const { pathname, searchParams } = new URL(url);
  const request = new HttpRequest({
    method,
    url,
    headers,
    params: { name: pathname.split('/').at(-1) ?? '' },
    query: Object.fromEntries(searchParams),
    ...(method === 'POST'
      ? { body: { string: typeof body === 'string' ? body : JSON.stringify(body) } }
      : {}),
  });
  try {
    const answer =
      method === 'OPTIONS'
        ? await allowSender(request, server.services)
        : await receiveHook(request, server.durable.context('receive-hook'), server.services);
    return {
      status: answer.status ?? 200,
      headers: (answer.headers ?? {}) as Record<string, string>,
      json: (answer.jsonBody ?? {}) as Record<string, unknown>,
    };
  } catch (error) {
    const { status, problem } = problemOf(error, 'x');
    return { status, headers: {}, json: problem as unknown as Record<string, unknown> };
  }
}
const unanswered = async () => {
  const found = [];
  for await (const one of server.services.events.pending(new Date(Date.now() + 1000))) found.push(one);
  return found;
};

describe('who proves to be the sender', () => {
  test('by the address, by Authorization, or as the password of Basic', async () => {
    const { deliveryUrl, secret, hook } = await make('registry', 'acr');
    expect(deliveryUrl).toBe(`${hook.url}?token=${encodeURIComponent(secret)}`);
    const basic = `Basic ${Buffer.from(`any:${secret}`).toString('base64')}`;
    expect((await deliver(deliveryUrl!, acr('p1'))).status).toBe(202);
    for (const authorization of [secret, `Bearer ${secret}`, basic])
      expect((await deliver(hook.url, acr('p1'), { authorization })).json).toMatchObject({
        status: 'accepted',
        events: [{ status: 'duplicate' }],
      });
  });

  test('others are refused, and cannot find out which hooks there are', async () => {
    const { hook } = await make('known', 'acr');
    const unknown = hook.url.replace('known', 'unknown');
    const headers: Record<string, string>[] = [
      {},
      { authorization: 'Bearer wrong' },
      { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}`, 'x-github-delivery': 'd' },
      {
        'webhook-id': 'm',
        'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
        'webhook-signature': 'v1,AAAA',
      },
    ];
    for (const url of [hook.url, `${hook.url}?token=wrong`])
      for (const each of headers) {
        const there = await deliver(url, acr('x'), each);
        const missing = await deliver(url.replace('known', 'unknown'), acr('x'), each);
        expect(there.status).toBe(401);
        expect([missing.status, missing.json.code, missing.json.detail]).toEqual([
          401,
          there.json.code,
          there.json.detail,
        ]);
      }
    expect((await deliver(unknown, {}, {}, 'OPTIONS')).status).toBe(401);
  });

  test("GitHub's by its signature alone", async () => {
    const { hook, secret, deliveryUrl } = await make('packages', 'github');
    expect(deliveryUrl).toBeUndefined();
    const body = JSON.stringify({
      action: 'published',
      registry_package: {
        package_version: {
          version: digest,
          container_metadata: { tag: { name: 'v1', digest } },
          package_url: 'ghcr.io/team/web:v1',
        },
      },
    });
    const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const headers = { 'x-hub-signature-256': signature, 'x-github-delivery': 'd1' };
    const first = await deliver(hook.url, body, headers);
    expect(first.json).toMatchObject({ status: 'accepted', events: [{ status: 'stored' }] });
    expect((await deliver(hook.url, body, headers)).json).toMatchObject({
      events: [{ status: 'duplicate' }],
    });
    expect((await deliver(`${hook.url}?token=${encodeURIComponent(secret)}`, body)).status).toBe(401);
    expect((await deliver(hook.url, `${body} `, headers)).json).toMatchObject({ code: 'signature-invalid' });
  });
});

describe('Event Grid', () => {
  test('is answered the validation code, and is allowed to send CloudEvents', async () => {
    const { deliveryUrl } = await make('grid', 'event-grid');
    const validation = [
      {
        eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
        data: { validationCode: 'c1', validationUrl: 'https://x.example/' },
      },
    ];
    expect(await deliver(deliveryUrl!, validation)).toMatchObject({
      status: 200,
      json: { validationResponse: 'c1' },
    });
    const allowed = await deliver(
      deliveryUrl!,
      undefined,
      { 'webhook-request-origin': 'eventgrid.azure.net', 'webhook-request-rate': '120' },
      'OPTIONS',
    );
    expect(allowed).toMatchObject({
      status: 200,
      headers: { 'webhook-allowed-origin': 'eventgrid.azure.net', 'webhook-allowed-rate': '*' },
    });
  });

  test('a batch becomes an event each', async () => {
    const { deliveryUrl } = await make('batch', 'event-grid');
    const event = (id: string, tag: string) => ({
      eventType: 'Microsoft.ContainerRegistry.ImagePushed',
      eventTime: new Date().toISOString(),
      data: acr(id, tag),
    });
    const batch = [event('b1', 'one'), event('b2', 'two')];
    expect((await deliver(deliveryUrl!, batch)).json).toMatchObject({
      events: [{ status: 'stored' }, { status: 'stored' }],
    });
    expect((await deliver(deliveryUrl!, batch)).json).toMatchObject({
      events: [{ status: 'duplicate' }, { status: 'duplicate' }],
    });
  });
});

describe('what a push elsewhere causes', () => {
  test('it stands in the queue of those who hear of it, and is delivered', async () => {
    const subscription = Subscription.parse({
      name: 'outside',
      repositories: ['queued.azurecr.io/**'],
      actions: ['push'],
      format: 'cloudevents',
      sink: { kind: 'webhook', url: 'https://receiver.example/' },
      createdAt: new Date().toISOString(),
    });
    await server.services.subscriptions.put(subscription);
    expect(matchesPattern(subscription.repositories[0]!, 'queued.azurecr.io/team/web')).toBe(true);
    const { deliveryUrl } = await make('queued', 'acr', 'queued.azurecr.io');
    await deliver(deliveryUrl!, acr('q1'));
    await deliver(deliveryUrl!, acr('q1'));
    const { tables } = server.services;
    const waiting = await waitingOf(tables, subscription.name, new Date());
    expect(waiting).toMatchObject([
      {
        feed: '~queued.azurecr.io/team/web',
        event: {
          id: 'v1:q1',
          source: 'registry/~queued.azurecr.io/team/web',
          data: { registry: 'queued.azurecr.io', repository: 'team/web', digest },
        },
      },
    ]);
    expect(server.durable.starts).toMatchObject([
      { name: 'deliver-events', input: { subscription: 'outside', feed: '~queued.azurecr.io/team/web' } },
    ]);
    expect(await unanswered()).toEqual([]);
    await server.services.subscriptions.remove(subscription.name);
  });

  test('a copy of the tag that somebody has pulled is asked for anew; others are left alone', async () => {
    const at = new Date().toISOString();
    const source = SourceSettings.parse({ prefix: 'acme', upstream: { url: 'https://copied.azurecr.io' } });
    await server.services.sources.put('acme' as never, source, undefined);
    const { deliveryUrl } = await make('copied', 'acr', 'copied.azurecr.io');
    await deliver(deliveryUrl!, acr('r1'));
    expect(server.durable.starts).toEqual([]);
    const entry = TagEntry.parse({
      tag: 'v1',
      digest: `sha256:${'b'.repeat(64)}`,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: 1,
      imageSize: 1,
      counter: 1,
      pushedAt: at,
    });
    await server.tables.commit(REGISTRY, partitionOf('acme/team/web' as never), [
      { kind: 'upsert', row: tagRow(entry.tag), values: valuesOf(entry) },
    ]);
    await deliver(deliveryUrl!, acr('r2'));
    expect(server.durable.starts).toMatchObject([
      { name: 'refresh-pushed', input: { repository: 'acme/team/web', tag: 'v1' } },
    ]);
  });

  test('a repository of ours with the name of one elsewhere is not meant by it', async () => {
    const application = {
      name: 'trap',
      services: { web: { image: 'trap.azurecr.io/team/web:v1', port: 80 } },
    };
    await ask('PUT', '/api/v1/environments/dev/applications/trap', { json: application });
    server.durable.starts.splice(0);
    const { deliveryUrl } = await make('trap', 'acr', 'trap.azurecr.io');
    expect((await deliver(deliveryUrl!, acr('t1'))).status).toBe(202);
    expect(server.durable.starts).toEqual([]);
    expect((await ask('GET', '/api/v1/environments/dev/services/trap/web')).json).toMatchObject({
      service: { rollout: { state: 'waiting-for-image' } },
    });
  });
});

describe('what is no push', () => {
  test('is answered and forgotten; what is malformed changes nothing', async () => {
    const { deliveryUrl } = await make('other', 'acr');
    expect(await deliver(deliveryUrl!, { ...acr('d'), action: 'delete' })).toMatchObject({
      status: 202,
      json: { status: 'ignored', what: 'action delete' },
    });
    for (const body of [
      '',
      '{',
      '[]',
      'null',
      JSON.stringify({ ...acr('x'), id: 5 }),
      randomBytes(50).toString(),
    ])
      expect((await deliver(deliveryUrl!, body)).json).toMatchObject({ status: 400, code: 'push-malformed' });
  });

  test('a hook of commands takes no pushes, and is what it was', async () => {
    const json = { signature: 'github', command: { type: 'run-job', application: 'a', job: 'b' } };
    const made = (await ask('PUT', '/api/v1/hooks/commands', { json })).json as Made;
    expect(made.deliveryUrl).toBeUndefined();
    const refused = await deliver(made.hook.url, acr('c'), { authorization: `Bearer ${made.secret}` });
    expect([refused.status, refused.json.code]).toEqual([401, 'signature-invalid']);
    const wrong = await ask('PUT', '/api/v1/hooks/commands', { json: { ...json, pushes: { from: 'acr' } } });
    expect(wrong.status).toBe(400);
  });
});
