import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi } from '../../../shared/api/open-api.ts';
import { routes } from '../../../shared/api/routes.ts';
import { JobKey } from '../../../shared/model/job.ts';
import { ServiceKey } from '../../../shared/model/service.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { type Answer, makeAsk } from '../../support/ask.ts';

const application = {
  name: 'shop',
  services: { web: { image: 'shop/web:1', replicas: 2, port: 80 } },
  jobs: { report: { image: 'shop/report:1', schedule: { cron: '0 3 * * *' } } },
};
const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });
const report = JobKey.parse({ environment: 'dev', application: 'shop', job: 'report' });
const dev = '/api/v1/environments/dev';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
});
afterAll(() => world.server.close());

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;

describe('deploying', () => {
  it('stores an event, answers 202, and takes the same key once', async () => {
    const put = () =>
      ask('PUT', `${dev}/applications/shop`, { json: application, headers: { 'idempotency-key': 'first' } });
    const answer = await put();
    expect(answer.status).toBe(202);
    expect(answer.json).toMatchObject({ status: 'stored', event: { source: 'api', id: 'first' } });
    expect((await put()).json).toMatchObject({ status: 'duplicate', instances: [] });
    const { hash } = (answer.json as { event: { hash: string } }).event;
    const event = await ask('GET', `/api/v1/events/${hash}`);
    expect(event.json).toMatchObject({
      answered: true,
      event: { type: 'dev.berth.command', data: { type: 'deploy', environment: 'dev' } },
    });
    const listed = await ask('GET', '/api/v1/events?source=api&type=dev.berth.command&limit=5');
    expect((listed.json as { events: unknown[] }).events).toHaveLength(1);
  });

  it('shows what is wanted, and that the image is waited for', async () => {
    expect((await ask('GET', `${dev}/applications`)).json).toEqual({
      applications: [{ name: 'shop', services: ['web'], jobs: ['report'] }],
    });
    expect((await ask('GET', `${dev}/services/shop/web`)).json).toMatchObject({
      service: { rollout: { state: 'waiting-for-image' }, replicas: { wanted: 2, healthy: 0 } },
      spec: { port: 80 },
      replicas: [],
    });
  });

  it('takes a berth.yaml, and starts the rollout when its image is there', async () => {
    await world.push('shop/web:1');
    const text = `name: shop\nservices:\n  web: {image: 'shop/web:1', replicas: 2, port: 80}\njobs:\n  report: {image: 'shop/report:1'}\n`;
    const answer = await ask('PUT', `${dev}/applications/shop`, { text, type: 'application/yaml' });
    const { instances } = answer.json as { instances: string[] };
    expect(instances).toHaveLength(1);
    expect(world.server.durable.starts).toMatchObject([{ id: instances[0] }]);
    expect((await ask('GET', `${dev}/services/shop/web/revisions`)).json).toMatchObject({
      revisions: [{ number: 1, digest: `sha256:${'a'.repeat(64)}` }],
    });
    await world.replica(web, 0);
    expect((await ask('GET', `${dev}/replicas?application=shop`)).json).toMatchObject({
      replicas: [{ name: '0.g1', address: '10.20.0.4', port: 30_000 }],
    });
    expect((await ask('GET', '/api/v1/machines/m1')).json).toMatchObject({
      machine: { name: 'm1' },
      replicas: [{ name: '0.g1' }],
    });
    expect((await ask('GET', '/api/v1/images')).json).toMatchObject({
      images: [{ repository: 'shop/web', tag: '1', size: 2_500_000 }],
    });
    expect((await ask('GET', '/api/v1/status')).json).toMatchObject({
      caller: { id: 'admin', roles: ['admin'] },
      services: { total: 1, rollouts: { rolling: 1 } },
      machines: { total: 1, byState: { ready: 1 } },
    });
  });

  it.each([
    [
      'YAML with a fault',
      { text: 'name: shop\nservices:\n  web: {imag: x}\n', type: 'application/yaml' },
      '400 application-invalid',
    ],
    ['another name', { json: { ...application, name: 'other' } }, '400 name-differs'],
    ['no JSON', { text: '{', type: 'application/json' }, '400 json-invalid'],
    ['an unknown type', { text: 'x', type: 'text/plain' }, '415 content-type-unknown'],
    [
      'too much',
      { text: `name: shop # ${'x'.repeat(1024 * 1024)}`, type: 'application/yaml' },
      '413 body-too-large',
    ],
    [
      'a bad key',
      { json: application, headers: { 'idempotency-key': 'x'.repeat(300) } },
      '400 idempotency-key-invalid',
    ],
    [
      'a bad schedule',
      { json: { ...application, jobs: { j: { image: 'a', schedule: { cron: 'x' } } } } },
      '400 request-invalid',
    ],
  ])('refuses %s and stores nothing', async (_what, asking, expected) => {
    const count = async () =>
      ((await ask('GET', '/api/v1/events?limit=1000')).json as { events: [] }).events.length;
    const before = await count();
    const answer = await ask('PUT', `${dev}/applications/shop`, asking);
    expect(codeOf(answer)).toBe(expected);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(await count()).toBe(before);
  });

  it('names the line of a fault', async () => {
    const text = 'name: shop\nservices:\n  web: {imag: x}\n';
    const { json } = await ask('PUT', `${dev}/applications/shop`, { text, type: 'application/yaml' });
    expect((json as { issues: unknown[] }).issues).toContainEqual(
      expect.objectContaining({ line: 3, column: 9, path: 'services.web' }),
    );
  });

  it.each([
    ['GET', `${dev}/services/shop/none`, '404 service-not-found'],
    ['GET', `${dev}/services/shop/none/revisions`, '404 service-not-found'],
    ['GET', `${dev}/applications/none`, '404 application-not-found'],
    ['DELETE', `${dev}/applications/none`, '404 application-not-found'],
    ['POST', `${dev}/jobs/shop/none/runs`, '404 job-not-found'],
    ['GET', `${dev}/jobs/shop/none/runs`, '404 job-not-found'],
    ['GET', `${dev}/jobs/shop/report/runs/none`, '404 run-not-found'],
    ['GET', `${dev}/services/shop/web/replicas/9.g9/logs`, '404 replica-not-found'],
    ['GET', `${dev}/services/shop/web/replicas/nine/logs`, '400 request-invalid'],
    ['GET', '/api/v1/machines/none', '404 machine-not-found'],
    ['GET', `/api/v1/events/${'0'.repeat(40)}`, '404 event-not-found'],
    ['GET', '/api/v1/environments/DEV/services', '400 request-invalid'],
    ['GET', `${dev}/services?aplication=shop`, '400 request-invalid'],
    ['DELETE', '/api/v1/hooks/none', '404 hook-not-found'],
  ])('%s %s: %s', async (method, path, expected) => {
    expect(codeOf(await ask(method, path))).toBe(expected);
  });
});

describe('log streams', () => {
  const logs = `${dev}/services/shop/web/replicas/0.g1/logs`;

  it('give lines with their times as ids, and resume after one', async () => {
    const id = (await world.engine.list([]))[0]?.id ?? '';
    for (const text of ['one', 'two', 'three']) world.engine.control.write(id, text);
    const all = await ask('GET', logs);
    expect(all.headers['content-type']).toBe('text/event-stream');
    expect(all.text.match(/"text":"\w+"/g)).toEqual(['"text":"one"', '"text":"two"', '"text":"three"']);
    expect(all.text).toMatch(/event: end\ndata: .*"reason":"complete"/);
    const [first = ''] = [...all.text.matchAll(/^id: (.*)$/gm)].map((match) => match[1] ?? '');
    const rest = await ask('GET', logs, { headers: { 'last-event-id': first } });
    expect(rest.text).not.toContain('"one"');
    expect(rest.text).toContain('"two"');
    expect((await ask('GET', logs, { headers: { 'last-event-id': 'x' } })).status).toBe(400);
    expect((await ask('GET', `${logs}?tail=1&since=${encodeURIComponent(first)}`)).text).not.toContain(
      '"two"',
    );
  });

  it('follow until the container ends', async () => {
    const id = (await world.engine.list([]))[0]?.id ?? '';
    const following = ask('GET', `${logs}?follow=true`);
    world.engine.control.write(id, 'four', 'stderr');
    world.engine.control.exit(id, 0);
    expect((await following).text).toMatch(/"stream":"stderr".*"four"[\s\S]*"reason":"complete"/);
  });

  it('say when the engine cannot be reached', async () => {
    world.engine.control.reachable(false);
    const answer = await ask('GET', logs);
    world.engine.control.reachable(true);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, expect.any(String)]);
  });
});

describe('jobs', () => {
  it('run once for one key, and show their output', async () => {
    await world.push('shop/report:1', 'b');
    const start = () =>
      ask('POST', `${dev}/jobs/shop/report/runs`, { headers: { 'idempotency-key': 'monday' } });
    const first = (await start()).json as { run: string; location: string };
    expect(((await start()).json as { run: string }).run).toBe(first.run);
    expect((await ask('GET', first.location)).json).toMatchObject({ status: { state: 'pending' } });
    const id = await world.runContainer(report, first.run);
    world.engine.control.write(id, 'working');
    world.engine.control.exit(id, 3);
    expect((await ask('GET', `${first.location}/logs?follow=true`)).text).toContain('working');
    const at = new Date().toISOString();
    await world.changeRun(report, first.run, {
      state: 'failed',
      at,
      code: 'exit',
      reason: 'r',
      exitCode: 3,
      lastLines: ['kept'],
    });
    await world.engine.remove(id);
    expect((await ask('GET', `${first.location}/logs`)).text).toContain('kept');
    expect((await ask('GET', `${dev}/jobs/shop/report/runs`)).json).toMatchObject({
      runs: [{ id: first.run }],
    });
    expect((await ask('GET', `${dev}/jobs`)).json).toMatchObject({ jobs: [{ key: { job: 'report' } }] });
  });
});

describe('hooks and keys', () => {
  it('hooks keep their secret', async () => {
    const json = { signature: 'github', command: { type: 'run-job', application: 'shop', job: 'report' } };
    const made = (await ask('PUT', '/api/v1/hooks/build', { json })).json as { hook: object; secret: string };
    expect(made.hook).toMatchObject({
      url: `${world.server.url}/api/hooks/build`,
      command: { environment: 'dev' },
    });
    const again = (await ask('PUT', '/api/v1/hooks/build', { json })).json as { secret: string };
    expect(again.secret).toBe(made.secret);
    const listed = await ask('GET', '/api/v1/hooks');
    expect(listed.text).toContain('"build"');
    expect(listed.text).not.toContain(made.secret);
    expect((await ask('DELETE', '/api/v1/hooks/build')).status).toBe(204);
  });

  it('keys are shown once', async () => {
    const made = (await ask('POST', '/api/v1/keys', { json: { role: 'reader' } })).json as {
      text: string;
      key: { id: string };
    };
    expect((await ask('GET', '/api/v1/status', { key: made.text })).json).toMatchObject({
      caller: { roles: ['reader'] },
    });
    const listed = await ask('GET', '/api/v1/keys');
    expect(listed.text).toContain(made.key.id);
    expect(listed.text).not.toMatch(/hash|[0-9a-f]{64}/);
    expect((await ask('DELETE', `/api/v1/keys/${made.key.id}`)).status).toBe(204);
    expect((await ask('GET', '/api/v1/status', { key: made.text })).status).toBe(401);
  });
});

describe('removing', () => {
  it('deploys the application without anything', async () => {
    expect((await ask('DELETE', `${dev}/applications/shop`)).status).toBe(202);
    expect((await ask('GET', `${dev}/applications`)).json).toEqual({ applications: [] });
    expect((await ask('GET', `${dev}/services`)).json).toMatchObject({ services: [{ removing: true }] });
  });
});

describe('openapi.json', () => {
  it('is what the routes give, without a key', async () => {
    const answer = await ask('GET', '/api/v1/openapi.json', { key: undefined });
    expect(answer.json).toEqual(JSON.parse(JSON.stringify(openApi(routes))));
  });
});
