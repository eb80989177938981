import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceKey } from '../../../shared/model/service.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';
import { pushManifest } from './push-manifest.ts';

const app = '/api/v1/environments/dev/applications/shop';
const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeEach(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
});
afterEach(() => world.server.close());

const spec = (change: object = {}, more: object = {}) => ({
  name: 'shop',
  services: {
    web: {
      image: 'shop/web:1',
      replicas: 2,
      environment: { LEVEL: 'info', DB_PASSWORD: 'hunter2' },
      ...change,
    },
  },
  ...more,
});
const plan = async (json: object) =>
  (await ask('POST', `${app}/plan`, { json })).json as Record<string, never>;
const apply = (json: object) => ask('POST', `${app}/apply`, { json });
const service = async () => (await ask('GET', '/api/v1/environments/dev/services/shop/web')).json;

const push = (letter: string) => pushManifest(world, 'shop/web:1', letter);

/** Deployed by a plan of its own, with both replicas healthy. */
async function deployed() {
  await push('a');
  const made = await plan(spec());
  expect((await apply(made)).status).toBe(202);
  await world.replica(web, 0);
  await world.replica(web, 1);
  await world.changeService(web, {
    rollout: { state: 'done', at: new Date().toISOString() },
    healthyRevision: 1,
  });
}

describe('a plan', () => {
  it('says what is added, where it would go and what it costs, shows no secret and changes nothing', async () => {
    await push('a');
    const answer = await ask('POST', `${app}/plan`, { json: spec() });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      empty: false,
      changes: [{ kind: 'service', name: 'web', change: 'added', effect: '2 replicas are started.' }],
      placement: [
        { service: 'web', slot: 0, machine: 'm1' },
        { service: 'web', slot: 1, machine: 'm1' },
      ],
      machines: [],
      pins: { digests: { web: `sha256:${'a'.repeat(64)}` }, base: { application: null } },
    });
    const { changes } = answer.json as { changes: { fields: { path: string; after: string }[] }[] };
    const fields = new Map(changes[0]?.fields.map(({ path, after }) => [path, after]));
    expect(fields.get('environment.LEVEL')).toBe('info');
    expect(fields.get('environment.DB_PASSWORD')).toBe('(hidden)');
    expect((await ask('GET', app)).status).toBe(404);
  });

  it('counts the machines that would be made, and says what has no room', async () => {
    await push('a');
    const large = { replicas: 8, resources: { cpu: 1.5, memory: 1024 } };
    const made = await plan(spec(large, { pools: { default: { maximum: 3 } } }));
    expect(made).toMatchObject({
      machines: [
        { name: 'default-new-1', pool: 'default', size: 'Standard_B2s' },
        { name: 'default-new-2', pool: 'default', size: 'Standard_B2s' },
      ],
    });
    const { hourly, warnings } = made as unknown as {
      hourly: { before: number; after: number };
      warnings: string[];
    };
    expect(hourly.after).toBeCloseTo(hourly.before + 2 * 0.048, 2);
    expect(warnings).toHaveLength(5);
    expect(warnings[0]).toContain('the pool has its maximum of 3 machines');
  });

  it('names each key that differs, and that only the count changes where it does', async () => {
    await deployed();
    expect(await plan(spec())).toMatchObject({ empty: true, changes: [], placement: [] });
    expect(await plan(spec({ replicas: 3 }))).toMatchObject({
      changes: [
        {
          change: 'changed',
          fields: [{ path: 'replicas', before: '2', after: '3' }],
          effect: '1 replica more; those that run stay.',
        },
      ],
    });
    expect(await plan(spec({ command: ['serve'] }))).toMatchObject({
      changes: [
        {
          fields: [{ path: 'command', change: 'added', after: '["serve"]' }],
          effect: 'every replica (2) is replaced, rolling.',
        },
      ],
      placement: [
        { slot: 0, from: 'm1' },
        { slot: 1, from: 'm1' },
      ],
    });
    expect(await plan({ name: 'shop' })).toMatchObject({
      changes: [{ name: 'web', change: 'removed', effect: '2 replicas stopped.' }],
    });
    await push('b');
    expect(await plan(spec())).toMatchObject({
      changes: [
        {
          fields: [{ path: 'digest', before: `sha256:${'a'.repeat(64)}`, after: `sha256:${'b'.repeat(64)}` }],
        },
      ],
    });
  });

  it('refuses what a deployment refuses', async () => {
    const placement = { constraints: ['label.disk == ssd'] };
    expect(await ask('POST', `${app}/plan`, { json: spec({ placement }) })).toMatchObject({
      status: 400,
      json: {
        code: 'placement-impossible',
        issues: [{ path: 'services.web.placement.constraints.0' }],
      },
    });
    expect((await ask('PUT', app, { json: spec({ placement }) })).status).toBe(400);
  });
});

describe('applying', () => {
  it('deploys the digest of the plan, though the tag says another by now', async () => {
    await push('a');
    const made = await plan(spec());
    await push('b');
    expect((await apply(made)).status).toBe(202);
    expect(await service()).toMatchObject({ service: { digest: `sha256:${'a'.repeat(64)}` } });
  });

  it.each([
    [
      'the application was deployed',
      () => ask('PUT', app, { json: spec({ replicas: 5 }) }),
      /application shop was deployed at/,
    ],
    [
      'a service was scaled',
      () => ask('POST', '/api/v1/environments/dev/services/shop/web/scale', { json: { replicas: 4 } }),
      /service web was changed \(.*revision 1 → .*revision 2\)/,
    ],
  ])('is refused if %s meanwhile, and nothing is changed', async (_what, meanwhile, message) => {
    await deployed();
    const made = await plan(spec({ replicas: 3 }));
    await meanwhile();
    const before = await service();
    expect(await apply(made)).toMatchObject({
      status: 409,
      json: { code: 'plan-stale', detail: expect.stringMatching(message) },
    });
    expect(await service()).toEqual(before);
  });

  it('is refused if an image that was missing is there by now', async () => {
    const made = await plan(spec());
    expect(made).toMatchObject({ warnings: ['web: its image shop/web:1 is not in the registry'] });
    await push('a');
    expect(await apply(made)).toMatchObject({ status: 409, json: { code: 'plan-stale' } });
  });

  it('takes no plan of another environment, and nothing that is none', async () => {
    await push('a');
    const made = await plan(spec());
    expect(await apply({ ...made, environment: 'prod' })).toMatchObject({
      status: 400,
      json: { code: 'plan-differs' },
    });
    expect((await apply({ ...made, format: 'x' })).status).toBe(400);
    expect((await apply({ ...made, more: 1 })).status).toBe(400);
  });
});

describe('why', () => {
  const why = async () => (await ask('GET', '/api/v1/environments/dev/services/shop/web/why')).json;

  it('says that the image was not pushed, then where it runs', async () => {
    await ask('PUT', app, { json: spec() });
    expect(await why()).toMatchObject({ reasons: [{ code: 'image-not-pushed' }], replicas: [] });
  });

  it('says why there is no room, and what would help', async () => {
    await push('a');
    // A size that would do, so that it is not refused; m1 came before the pool had it.
    const pools = { default: { sizes: ['Standard_B2s', 'Standard_D4s_v5'], maximum: 1 } };
    const large = spec({ resources: { cpu: 4, memory: 64 } }, { pools });
    expect((await ask('PUT', app, { json: large })).status).toBe(202);
    expect(await why()).toMatchObject({
      wanted: 2,
      healthy: 0,
      replicas: [
        {
          slot: 0,
          state: 'missing',
          reasons: [
            {
              code: 'no-room',
              wouldHelp: ['2 cores more on one machine, for example m1', expect.stringContaining('maximum')],
            },
          ],
        },
        { slot: 1 },
      ],
    });
  });
});
