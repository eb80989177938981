import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServiceKey } from '../../../shared/model/service.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { type Person, personAt } from '../../support/command-line.ts';
import { pushManifest } from './push-manifest.ts';

const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });

let world: ApiWorld;
let person: Person;
let folder: string;
beforeAll(async () => {
  world = await startApiWorld();
  folder = mkdtempSync(join(tmpdir(), 'test-plan-'));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, world.server.ca);
  person = personAt(folder, { url: world.server.url, key: world.server.adminKey, caFile });
});
afterAll(async () => {
  await world.server.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = (text: string): string => {
  const path = join(folder, 'berth.yaml');
  writeFileSync(path, text);
  return path;
};

it('a plan is shown, kept for its owner alone, applied once, and no longer when things have changed', async () => {
  await pushManifest(world, 'shop/web:1', 'a');
  const yaml = file(`name: shop
services:
  web:
    image: shop/web:1
    replicas: 3
    resources: {cpu: 1, memory: 512}
    environment: {LEVEL: info, API_TOKEN: tru3}
`);
  const kept = join(folder, 'plan.json');
  const shown = await person.berth('plan', yaml, '--out', kept, '--detailed-exitcode');
  expect([shown.code, shown.stderr]).toEqual([10, expect.stringContaining(`berth apply ${kept}`)]);
  expect(shown.stdout).toContain('shop in dev: 1 to add, 0 to change, 0 to remove');
  expect(shown.stdout).toContain('+ environment.LEVEL: info');
  expect(shown.stdout).toContain('+ environment.API_TOKEN: (hidden)');
  expect(shown.stdout).not.toContain('tru3');
  expect(shown.stdout).toContain('web/2  default-new-1 (a new machine)');
  expect(statSync(kept).mode & 0o777).toBe(0o600);

  expect(await person.berth('apply', kept, '--no-wait')).toMatchObject({ code: 0 });
  for (const slot of [0, 1, 2]) await world.replica(web, slot);
  await world.changeService(web, {
    rollout: { state: 'done', at: new Date().toISOString() },
    healthyRevision: 1,
  });
  expect(await person.berth('plan', yaml, '--detailed-exitcode')).toMatchObject({
    code: 0,
    stdout: 'shop in dev: nothing would change.\n',
  });

  const again = await person.berth('apply', kept, '--no-wait');
  expect(again.code).toBe(1);
  expect(again.stderr).toContain(
    'The plan for shop in dev no longer holds. Since it was made: application shop was deployed at',
  );
});

it('why names a service, or one replica', async () => {
  const all = await person.berthSays('why', 'web');
  expect(all).toContain('shop/web: 3 of 3 healthy');
  const one = JSON.parse(await person.berthSays('why', 'web/1', '--json'));
  expect(one.replicas).toHaveLength(1);
  expect(one.replicas[0]).toMatchObject({ slot: 1, state: 'healthy' });
});
