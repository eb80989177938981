import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServiceKey } from '../../../shared/model/service.ts';
import { placeOf, stores } from '../../../shared/workloads/stores.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
});
afterAll(() => world.server.close());

const dev = '/api/v1/environments/dev';
const path = `${dev}/secrets`;
const application = {
  name: 'shop',
  services: { web: { image: 'shop/web:1', secrets: ['db-password'] } },
  jobs: { report: { image: 'shop/report:1', secrets: [{ secret: 'pw' }] } },
  secrets: { pw: { name: 'db-password' } },
};
const deploy = (json: object = application) => ask('PUT', `${dev}/applications/shop`, { json });

it('a service that names a missing secret is refused before anything changes', async () => {
  const answer = await deploy();
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({
    code: 'secret-missing',
    issues: [{ path: 'services.web.secrets.0' }, { path: 'jobs.report.secrets.0' }],
  });
  expect((answer.json as { remedy: string }).remedy).toContain(
    'berth secrets set db-password --environment dev',
  );
  expect((await ask('GET', `${dev}/applications`)).json).toEqual({ applications: [] });
  expect((await ask('GET', '/api/v1/events')).json).toMatchObject({ events: [] });
});

it('it is set, says who uses it and who has an older value, and its value is nowhere', async () => {
  const canary = 'canary-7f3a';
  const first = await ask('PUT', `${path}/db-password`, { json: { value: canary } });
  expect(first.json).toMatchObject({ key: { name: 'db-password' }, version: 1, size: 11, usedBy: [] });
  expect((await deploy()).status).toBe(202);
  await world.push('shop/web:1');
  await deploy({ ...application, services: { web: { ...application.services.web, replicas: 2 } } });
  const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });
  await world.replica(web, 0);
  const { replicas } = stores(world.server.tables);
  await replicas.update(
    ...placeOf.replica({ key: web, slot: 0, generation: 1 }),
    (replica) => replica && { ...replica, secrets: { 'db-password': 1 } },
  );
  const second = await ask('PUT', `${path}/db-password`, {
    json: { value: Buffer.from(canary).toString('base64'), encoding: 'base64' },
  });
  expect(second.json).toMatchObject({
    version: 2,
    usedBy: [
      { application: 'shop', kind: 'service', name: 'web', stale: 1 },
      { application: 'shop', kind: 'job', name: 'report', stale: 0 },
    ],
  });
  expect((await ask('GET', path)).json).toMatchObject({ secrets: [{ version: 2 }] });
  expect((await ask('GET', `${dev}/replicas`)).json).toMatchObject({
    replicas: [{ name: '0.g1', staleSecrets: ['db-password'] }],
  });
  let everything = (await ask('GET', '/api/v1/events')).text + JSON.stringify(world.server.log);
  for (const table of ['events', 'applications', 'services', 'revisions', 'replicas', 'secrets'])
    for await (const row of world.server.tables.list(table, {})) everything += JSON.stringify(row);
  expect(everything).toContain('db-password');
  expect(everything).not.toContain(canary);
  expect(everything).not.toContain(Buffer.from(canary).toString('base64'));
});

it('one that is used is removed only by force, and an application has its own', async () => {
  expect((await ask('DELETE', `${path}/db-password`)).json).toMatchObject({
    code: 'secret-in-use',
    status: 409,
  });
  expect(
    (await ask('PUT', `${path}/db-password?application=shop`, { json: { value: 'own' } })).json,
  ).toMatchObject({
    key: { application: 'shop' },
    version: 1,
    usedBy: [{ name: 'web' }, { name: 'report' }],
  });
  expect((await ask('DELETE', `${path}/db-password`)).status).toBe(204);
  expect((await ask('DELETE', `${path}/db-password?application=shop&force=true`)).status).toBe(204);
  expect((await ask('DELETE', `${path}/db-password`)).json).toMatchObject({ code: 'secret-not-found' });
});

it.each([
  ['nothing', { value: '' }],
  ['a number', { value: 7 }],
  ['another key', { value: 'canary', type: 'x' }],
  ['no base64', { value: 'canary!', encoding: 'base64' }],
  ['too much', { value: 'c'.repeat(256 * 1024 + 1) }],
])('%s is refused without the value in the answer', async (_what, json) => {
  const answer = await ask('PUT', `${path}/wrong`, { json });
  expect(answer.status).toBe(400);
  expect(answer.text).not.toContain('canary');
  expect((await ask('GET', path)).json).toEqual({ secrets: [] });
});

it('what an environment allows is said by administrators alone', async () => {
  const allowances = `${dev}/allowances`;
  expect((await ask('GET', allowances)).json).toEqual({ privileged: false, capabilities: [], hostPaths: [] });
  const made = await ask('POST', '/api/v1/keys', { json: { role: 'operator' } });
  const { text: key } = made.json as { text: string };
  expect((await ask('PUT', allowances, { json: { privileged: true }, key })).status).toBe(403);
  expect((await ask('PUT', allowances, { json: { hostPaths: [{ path: '../etc' }] } })).status).toBe(400);
  const json = { capabilities: ['cap_net_admin'], hostPaths: [{ path: '/srv', writable: true }] };
  expect((await ask('PUT', allowances, { json })).json).toEqual({
    privileged: false,
    capabilities: ['NET_ADMIN'],
    hostPaths: [{ path: '/srv', writable: true }],
  });
  const web = { image: 'shop/web:1', capAdd: ['NET_ADMIN'], volumes: ['/srv/a:/data'] };
  expect((await deploy({ name: 'shop', services: { web } })).status).toBe(202);
  expect(
    (await deploy({ name: 'shop', services: { web: { ...web, privileged: true } } })).json,
  ).toMatchObject({
    code: 'not-allowed',
  });
});
