import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceKey } from '../../../shared/model/service.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { type Answer, makeAsk } from '../../support/ask.ts';
import { type Person, personAt } from '../../support/command-line.ts';

const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });
const dev = '/api/v1/environments/dev';
const rollout = `${dev}/services/shop/web/rollout`;
const application = (image: string) => ({
  name: 'shop',
  services: {
    web: {
      image,
      replicas: 4,
      port: 80,
      rollout: { strategy: 'canary', steps: [{ percent: 25, pause: 'until-resumed' }] },
    },
  },
});

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
let folder: string;
let person: Person;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
  folder = mkdtempSync(join(tmpdir(), 'test-rollouts-'));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, world.server.ca);
  person = personAt(join(folder, 'home'), { url: world.server.url, key: world.server.adminKey, caFile });
});
afterAll(async () => {
  await world.server.close();
  rmSync(folder, { recursive: true, force: true });
});

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;
const deploy = (image: string) => ask('PUT', `${dev}/applications/shop`, { json: application(image) });

describe('a rollout is steered', () => {
  it('where there is none, it is refused', async () => {
    await deploy('shop/web:1');
    expect(codeOf(await ask('POST', `${rollout}/pause`))).toBe('409 no-rollout');
    expect(codeOf(await ask('POST', `${rollout}/resume`))).toBe('409 not-paused');
    expect(codeOf(await ask('POST', `${rollout}/undo`, { json: {} }))).toBe('409 no-earlier-revision');
    expect(codeOf(await ask('POST', `${rollout}/undo`, { json: { revision: 0 } }))).toBe(
      '400 request-invalid',
    );
    const other = await ask('POST', `${dev}/services/shop/wbe/rollout/abort`);
    expect(codeOf(other)).toBe('404 service-unknown');
  });

  it('by the API, and the service says how far it is and what it waits for', async () => {
    await world.push('shop/web:1', 'a');
    await world.push('shop/web:2', 'b');
    await deploy('shop/web:1');
    for (const slot of [0, 1, 2, 3]) await world.replica(web, slot);
    await world.changeService(web, {
      healthyRevision: 1,
      rollout: { state: 'done', at: '2026-11-30T12:00:00Z' },
    });
    await deploy('shop/web:2');
    await world.replica(web, 0, 2);
    const paused = await ask('POST', `${rollout}/pause`, { headers: { 'idempotency-key': 'p' } });
    expect([paused.status, (paused.json as { instances: string[] }).instances]).toEqual([202, []]);
    const found = await ask('GET', `${dev}/services/shop/web`);
    expect(found.json).toMatchObject({
      service: {
        revision: 2,
        rollout: { state: 'paused', why: 'asked', reason: 'paused by api p' },
        progress: {
          strategy: 'canary',
          wanted: 4,
          step: { number: 1, of: 1, percent: 25 },
          waits: 'paused by api p',
        },
      },
    });
    const resumed = await ask('POST', `${rollout}/resume`);
    expect((resumed.json as { instances: string[] }).instances).toHaveLength(1);
  });

  it('by the command line', async () => {
    expect(await person.berthSays('rollout', 'status', 'web')).toMatch(
      /^shop\/web {2}rolling, \d of 4 new\nrevision {2}2; 1 was healthy last\nstrategy {2}canary, step 1 of 1 \(25 %\)\nhealthy {3}\d of 4 new, \d of others\nwaits {5}.*new replicas are healthy\n$/,
    );
    expect(await person.berthSays('rollout', 'pause', 'shop/web')).toBe('shop/web: the rollout paused\n');
    expect(await person.berthSays('ps')).toMatch(/\n\nshop\/web: paused by api \S+\n$/);
    expect(await person.berthSays('rollout', 'abort', 'web')).toBe('shop/web: the rollout goes back\n');
    expect(await person.berthSays('rollout', 'undo', 'web', '--to', '1')).toBe(
      'shop/web: goes back to revision 1\n',
    );
    const { service } = (await ask('GET', `${dev}/services/shop/web`)).json as { service: { image: string } };
    expect(service.image).toBe('shop/web:1');
    const history = await person.berthSays('rollout', 'history', 'web');
    expect(history.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual([
      'REVISION',
      '3',
      '2',
      '1',
      '',
    ]);
    expect(history).toMatch(/^2 .* overtaken /m);
    const refused = await person.berth('rollout', 'resume', 'web');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('is not paused: it is rolling'),
    ]);
    expect(await person.berthSays('ps')).toContain('(old)');
    await world.changeService(web, {
      rollout: { state: 'failed', at: '2026-11-30T12:00:00Z', code: 'aborted', reason: 'aborted' },
    });
    expect(await person.berthSays('ps')).not.toContain('(old)');
    const wrong = await person.berth('rollout', 'undo', 'web', '--to', 'x');
    expect(wrong.code).toBe(2);
  });
});
