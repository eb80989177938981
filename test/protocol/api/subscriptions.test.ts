import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import type { RepositoryName } from '../../../shared/model/image.ts';
import type { SubscriptionName } from '../../../shared/model/subscription.ts';
import { beginPush, partitionOf } from '../../../shared/registry/repository.ts';
import { queueWrite } from '../../../shared/registry/subscriptions/queue.ts';
import { MOST_SUBSCRIPTIONS } from '../../../shared/registry/subscriptions/subscription-store.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { type Answer, makeAsk } from '../../support/ask.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

const all = '/api/v1/registry/subscriptions';
let server: ApiServer;
let ask: ReturnType<typeof makeAsk>;
let receiver: Receiver;
beforeAll(async () => {
  server = await startApiServer();
  ask = makeAsk(server);
});
afterAll(() => server.close());
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;
const webhook = (url = 'https://receiver.example/', more = {}) => ({ kind: 'webhook', url, ...more });
const here = () => webhook(receiver.url, { allowHttp: true, allowPrivate: true });
const put = (name: string, json: object, key?: string) =>
  ask('PUT', `${all}/${name}`, { json, ...(key === undefined ? {} : { key }) });
const keyFor = async (repositories: string, actions: string[]): Promise<string> => {
  const json = { repositories: [{ repositories, actions }], description: '' };
  const made = await ask('POST', '/api/v1/keys', { json });
  return (made.json as { text: string }).text;
};

describe('subscriptions', () => {
  it('show their secret once, and get another that is shown once', async () => {
    const made = await put('ci', { repositories: ['shop/*'], actions: ['push'], sink: webhook() });
    expect(made.json).toMatchObject({
      subscription: {
        name: 'ci',
        repositories: ['shop/*'],
        actions: ['push'],
        format: 'cloudevents',
        sink: { kind: 'webhook', url: 'https://receiver.example/', allowHttp: false, allowPrivate: false },
      },
      secret: expect.stringMatching(/^whsec_/),
    });
    const { secret } = made.json as { secret: string };
    const again = await put('ci', { repositories: ['**'], sink: webhook() });
    expect(again.json).toMatchObject({ subscription: { actions: ['push', 'pull', 'delete', 'mount'] } });
    const replaced = await ask('POST', `${all}/ci/secret`);
    const next = (replaced.json as { secret: string }).secret;
    expect(next).not.toBe(secret);
    for (const path of [all, `${all}/ci`]) {
      const shown = await ask('GET', path);
      expect(shown.status).toBe(200);
      expect(shown.text).toContain('receiver.example');
      for (const word of [secret, next]) expect(shown.text).not.toContain(word);
    }
    expect(again.text).not.toContain('whsec_');
    expect((await ask('DELETE', `${all}/ci`)).status).toBe(204);
    expect(codeOf(await ask('GET', `${all}/ci`))).toBe('404 subscription-not-found');
    expect(await server.services.signing.of('ci' as SubscriptionName)).toEqual([]);
  });

  it('are tested at once', async () => {
    await put('tried', { repositories: ['**'], sink: here() });
    expect((await ask('POST', `${all}/tried/test`)).json).toEqual({ accepted: true, answer: '204' });
    receiver.behave((_request, response) => void response.writeHead(500).end('broken'));
    expect((await ask('POST', `${all}/tried/test`)).json).toEqual({
      accepted: false,
      answer: 'answered 500 broken',
    });
    await ask('DELETE', `${all}/tried`);
  });

  it('show what waits; what was given up is listed, and put back', async () => {
    await put('late', { repositories: ['late/**'], sink: here() });
    const feed = 'late/a' as RepositoryName;
    const name = 'late' as SubscriptionName;
    const event = CloudEvent.parse({
      specversion: '1.0',
      id: 'v1:1',
      source: `registry/${feed}`,
      type: 'dev.berth.registry.push',
      time: new Date().toISOString(),
      data: {},
    });
    await beginPush(server.tables, feed, new Date());
    await server.tables.commit('registry', partitionOf(feed), [queueWrite(name, '1', [event], new Date())]);
    const { dead } = server.services.delivery;
    await dead.add(name, {
      feed,
      key: '0',
      event: { ...event, id: 'v1:0' },
      attempts: 9,
      reason: '9 attempts failed',
      lastFailure: 'answered 500',
      at: new Date().toISOString(),
    });
    expect((await ask('GET', `${all}/late`)).json).toMatchObject({
      waiting: [{ repository: feed, event: { id: 'v1:1' }, failures: 0 }],
      deadLetters: 1,
    });
    const listed = await ask('GET', `${all}/late/dead-letters`);
    expect(listed.json).toMatchObject({
      deadLetters: [{ repository: feed, attempts: 9, event: { id: 'v1:0' } }],
    });
    server.durable.starts.splice(0);
    expect((await ask('POST', `${all}/late/replay`, { json: { ids: 'all' } })).json).toEqual({
      replayed: 1,
    });
    expect(server.durable.starts).toMatchObject([
      { name: 'deliver-events', input: { subscription: 'late', feed } },
    ]);
    expect((await ask('GET', `${all}/late`)).json).toMatchObject({
      waiting: [{ event: { id: 'v1:0' } }],
      deadLetters: 0,
    });
    await ask('DELETE', `${all}/late`);
    await put('late', { repositories: ['late/**'], sink: here() });
    expect((await ask('GET', `${all}/late`)).json).toMatchObject({ waiting: [], deadLetters: 0 });
    await ask('DELETE', `${all}/late`);
  });

  it.each([
    ['http', { sink: webhook('http://receiver.example/') }, '400 sink-refused'],
    ['loopback', { sink: webhook('https://127.0.0.1/') }, '400 sink-refused'],
    ['metadata', { sink: webhook('https://169.254.169.254/', { allowPrivate: true }) }, '400 sink-refused'],
    ['a password', { sink: webhook('https://a:b@receiver.example/') }, '400 sink-refused'],
    ['another scheme', { sink: webhook('file:///etc/passwd') }, '400 request-invalid'],
    ['no address', { sink: { kind: 'webhook' } }, '400 request-invalid'],
    ['no repository', { sink: webhook(), repositories: [] }, '400 request-invalid'],
    ['another action', { sink: webhook(), actions: ['look'] }, '400 request-invalid'],
    ['more than is known', { sink: webhook(), secret: 'mine' }, '400 request-invalid'],
  ])('refuse %s', async (_name, change, expected) => {
    const answer = await put('wrong', { repositories: ['**'], ...change });
    expect(codeOf(answer)).toBe(expected);
    expect(codeOf(await ask('GET', `${all}/wrong`))).toBe('404 subscription-not-found');
  });

  it('a topic has no secret', async () => {
    const sink = { kind: 'service-bus', topic: 'registry-events' };
    expect((await put('bus', { repositories: ['**'], sink })).text).not.toContain('secret');
    expect(codeOf(await ask('POST', `${all}/bus/secret`))).toBe('400 subscription-not-signed');
    await ask('DELETE', `${all}/bus`);
  });

  it('have an end to their number', async () => {
    const names = Array.from({ length: MOST_SUBSCRIPTIONS }, (_, index) => `n${index}`);
    for (const name of names)
      expect((await put(name, { repositories: ['**'], sink: webhook() })).status).toBe(200);
    expect(codeOf(await put('more', { repositories: ['**'], sink: webhook() }))).toBe(
      '409 subscriptions-too-many',
    );
    expect((await put('n0', { repositories: ['a'], sink: webhook() })).status).toBe(200);
    for (const name of names) await ask('DELETE', `${all}/${name}`);
  });
});

describe('who administers some repositories', () => {
  it('hears of those alone, at public addresses alone', async () => {
    const key = await keyFor('team/**', ['admin']);
    expect((await put('team', { repositories: ['team/*'], sink: webhook() }, key)).status).toBe(200);
    for (const repositories of [['**'], ['team/a', 'other/a']])
      expect(codeOf(await put('wide', { repositories, sink: webhook() }, key))).toBe('403 forbidden');
    for (const sink of [
      { kind: 'service-bus', topic: 'registry-events' },
      webhook('https://10.0.0.1/', { allowPrivate: true }),
      webhook('http://receiver.example/', { allowHttp: true }),
    ])
      expect(codeOf(await put('deep', { repositories: ['team/a'], sink }, key))).toBe('403 forbidden');
    await put('whole', { repositories: ['**'], sink: webhook() });
    const listed = await ask('GET', all, { key });
    expect(listed.json).toMatchObject({ subscriptions: [{ name: 'team' }] });
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/secret'],
      ['GET', '/dead-letters'],
    ] as const)
      expect(codeOf(await ask(method, `${all}/whole${path}`, { key }))).toBe('403 forbidden');
    // Nor may they take over another's by its name.
    expect(codeOf(await put('whole', { repositories: ['team/a'], sink: webhook() }, key))).toBe(
      '403 forbidden',
    );
    for (const name of ['team', 'whole']) await ask('DELETE', `${all}/${name}`);
  });

  it('and who only pushes hears of nothing, and reads no trail', async () => {
    const key = await keyFor('team/**', ['pull', 'push', 'delete']);
    expect(codeOf(await put('team', { repositories: ['team/a'], sink: webhook() }, key))).toBe(
      '403 forbidden',
    );
    expect(codeOf(await ask('GET', '/api/v1/registry/audit', { key }))).toBe('403 forbidden');
    const admin = await keyFor('team/**', ['admin']);
    expect((await ask('GET', '/api/v1/registry/audit', { key: admin })).json).toEqual({ events: [] });
    expect(codeOf(await ask('GET', '/api/v1/registry/audit?repository=other/a', { key: admin }))).toBe(
      '403 forbidden',
    );
  });
});
