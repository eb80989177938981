import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';
import { personAt } from '../../support/command-line.ts';
import { selfSigned } from '../../support/self-signed.ts';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
});
afterAll(() => world.server.close());

const deploy = (environment: string, name: string, routes: object[]) =>
  ask('PUT', `/api/v1/environments/${environment}/applications/${name}`, {
    json: { name, services: { web: { image: 'shop/web:1', port: 80, routes } } },
  });
const listed = async () => (await ask('GET', '/api/v1/routes')).json as { routes: { id: string }[] };

describe('routes of the API', () => {
  it('come with a deployment; one that another service has is refused, naming both, and nothing changes', async () => {
    expect((await deploy('dev', 'shop', [{ host: 'a.example' }])).status).toBe(202);
    const refused = await deploy('prod', 'blog', [{ host: 'b.example' }, { host: 'a.example' }]);
    expect(refused.status).toBe(409);
    expect(refused.json).toMatchObject({
      code: 'route-taken',
      issues: [
        { path: 'services.web.routes.1', message: expect.stringContaining('is that of dev.shop.web') },
      ],
    });
    expect((await ask('GET', '/api/v1/environments/prod/applications')).json).toEqual({ applications: [] });
    expect(await listed()).toMatchObject({
      ingress: { replicas: { wanted: 0, healthy: 0 }, next: { step: 'build-image' } },
      routes: [{ id: 'a.example/', url: 'http://a.example/', key: { application: 'shop' }, replicas: 0 }],
    });
    const { services } = (await ask('GET', '/api/v1/environments/dev/services')).json as {
      services: object[];
    };
    expect(services).toMatchObject([{ urls: ['http://a.example/'] }]);
  });

  it('go with their application', async () => {
    expect((await ask('DELETE', '/api/v1/environments/dev/applications/shop')).status).toBe(202);
    expect((await listed()).routes).toEqual([]);
  });

  it('are of no use to Berth’s own environment', async () => {
    const refused = await deploy('berth', 'mine', []);
    expect([refused.status, refused.json]).toMatchObject([409, { code: 'environment-reserved' }]);
    const path = '/api/v1/environments/berth/services/ingress/ingress';
    const inside = await ask('POST', `${path}/exec`, {
      json: { session: 'a'.repeat(32), command: ['cat'] },
    });
    expect(inside.json).toMatchObject({ code: 'environment-reserved' });
  });
});

describe('certificates', () => {
  it('are set before routes use them, kept while they do, and their keys told to nobody', async () => {
    const secure = [{ host: 'c.example', tls: 'given' }];
    const missing = await deploy('dev', 'shop', secure);
    expect(missing.json).toMatchObject({
      code: 'certificate-missing',
      issues: [{ path: 'services.web.routes.0.tls' }],
    });
    const other = await selfSigned('d.example');
    const set = (pair: object) => ask('PUT', '/api/v1/certificates/given', { json: pair });
    await set({ certificate: other.certificate, key: other.key });
    expect((await deploy('dev', 'shop', secure)).json).toMatchObject({
      detail: expect.stringContaining('is for d.example, not for c.example'),
    });
    const right = await selfSigned('c.example');
    expect((await set({ certificate: right.certificate, key: other.key })).json).toMatchObject({
      code: 'certificate-invalid',
    });
    const done = await set({ certificate: right.certificate, key: right.key });
    expect(done.json).toMatchObject({ name: 'given', hosts: ['c.example'], routes: [] });
    expect((await deploy('dev', 'shop', secure)).status).toBe(202);
    expect(await listed()).toMatchObject({
      routes: [{ certificate: { state: 'valid' }, url: 'https://c.example/' }],
    });
    expect((await ask('DELETE', '/api/v1/certificates/given')).json).toMatchObject({
      code: 'certificate-used',
      detail: 'The certificate given is used by c.example/.',
    });
    const { text } = await ask('GET', '/api/v1/certificates');
    expect(text).not.toContain('PRIVATE');
    await deploy('dev', 'shop', []);
    expect((await ask('DELETE', '/api/v1/certificates/given')).status).toBe(204);
    expect(
      (await ask('PUT', '/api/v1/certificates/acme-x', { json: { certificate: 'x', key: 'x' } })).json,
    ).toMatchObject({
      code: 'certificate-name-reserved',
    });
  });
});

it('how many replicas the ingress has is settled by its settings', async () => {
  const put = (json: object) => ask('PUT', '/api/v1/ingress', { json });
  expect((await put({ replicas: 3, pool: 'edge' })).json).toMatchObject({
    settings: { replicas: 3, pool: 'edge', everyMachine: false },
  });
  expect((await put({ everyMachine: true })).json).toMatchObject({
    settings: { everyMachine: true, pool: 'edge' },
  });
  expect((await put({ replicas: 0 })).status).toBe(400);
  expect((await put({ replicas: 1 })).json).toMatchObject({ settings: { replicas: 1, everyMachine: false } });
});

it('the command line shows routes and why there is no certificate, and takes one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'test-routes-'));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, world.server.ca);
  const person = personAt(folder, { url: world.server.url, key: world.server.adminKey, caFile });
  await deploy('dev', 'shop', [{ host: 'e.example', tls: 'acme' }]);
  await world.server.services.acme.put({
    host: 'e.example',
    state: 'failed',
    failures: 2,
    reason: 'e.example: no such name',
    nextAt: '2026-12-01T10:30:00.000Z',
  });
  const shown = await person.berthSays('routes');
  expect(shown).toContain('address   (none yet)');
  expect(shown).toMatch(
    /e\.example\/ +dev\/shop\/web +0 +acme +failed: e\.example: no such name; again at 10:30 UTC/,
  );
  const { certificate, key } = await selfSigned('e.example');
  const [chainFile, keyFile] = [join(folder, 'chain.pem'), join(folder, 'key.pem')];
  writeFileSync(chainFile, certificate);
  writeFileSync(keyFile, key);
  const set = ['routes', 'certificate', 'set', 'mine', '--certificate', chainFile, '--key', keyFile];
  expect(await person.berthSays(...set)).toContain('mine: for e.example, until ');
  rmSync(folder, { recursive: true });
});
