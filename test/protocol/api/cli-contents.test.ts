import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Machine } from '../../../shared/model/machine.ts';
import { ServiceKey } from '../../../shared/model/service.ts';
import { VolumeRecord } from '../../../shared/model/volume-record.ts';
import { placeOf, stores } from '../../../shared/workloads/stores.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { type Person, personAt } from '../../support/command-line.ts';

let world: ApiWorld;
let person: Person;
const folder = mkdtempSync(join(tmpdir(), 'berth-contents-'));
const file = join(folder, 'berth.yaml');
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

beforeAll(async () => {
  world = await startApiWorld();
  const caFile = join(folder, 'ca.pem');
  write('ca.pem', world.server.ca);
  person = personAt(folder, { url: world.server.url, key: world.server.adminKey, caFile });
});
afterAll(async () => {
  await world?.server.close();
  rmSync(folder, { recursive: true, force: true });
});

const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });
const yaml = `name: shop
services:
  web:
    image: shop/web:1
    secrets: [db-password]
    configs: [app.conf]
    volumes: ["data:/data"]
volumes: {data: }
configs:
  app.conf: {file: app.conf}
`;

it('a file of a config that cannot be read, and then a secret that is missing, refuse the deployment with what to do', async () => {
  write('berth.yaml', yaml);
  const unread = await person.berth('deploy', file, '--no-wait');
  expect(unread).toMatchObject({ code: 2, stdout: '' });
  expect(unread.stderr).toContain('berth.yaml:10:20: configs.app.conf.file:');
  write('app.conf', 'colour=blue\n');
  const missing = await person.berth('deploy', file, '--no-wait');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain(
    'berth.yaml:5:15: services.web.secrets.0: there is no secret db-password in environment dev',
  );
  const planned = await person.berth('plan', file);
  expect([planned.code, planned.stderr]).toEqual([
    2,
    expect.stringContaining('berth.yaml:5:15: services.web'),
  ]);
  expect(missing.stderr).toContain('berth secrets set db-password --environment dev');
});

it('secrets are set from files and standard input, and who has an older value is told how to get the new one', async () => {
  write('password', 'hush\n');
  const set = await person.berth('secrets', 'set', 'db-password', '--file', join(folder, 'password'));
  expect(set).toMatchObject({ code: 0, stdout: 'db-password: version 1, 5 B\n' });
  await world.push('shop/web:1');
  expect(await person.berth('deploy', file, '--no-wait')).toMatchObject({ code: 0 });
  await world.replica(web, 0);
  await stores(world.server.tables).replicas.update(
    ...placeOf.replica({ key: web, slot: 0, generation: 1 }),
    (replica) => replica && { ...replica, secrets: { 'db-password': 1 } },
  );
  const piped = await person.bash('echo other | berth secrets set db-password');
  expect(piped.stdout).toBe('db-password: version 2, 5 B\n');
  expect(piped.stderr).toBe('shop/web run on with the old value.\n  → berth restart shop/web\n');
  expect(await person.berthSays('secrets', 'ls')).toMatch(
    /^SECRET +APPLICATION +VERSION +SIZE +CHANGED +USED BY\ndb-password +\(all\) +2 +5 B +\d+s +shop\/web \(1 stale\)\n$/,
  );
  const onTheLine = await person.berth('secrets', 'set', 'db-password', '--value', 'third');
  expect(onTheLine.stderr).toContain('Warning: a value on the command line is seen by others');
  const rotated = await person.berth('secrets', 'rotate', 'db-password');
  expect(rotated).toMatchObject({
    code: 0,
    stdout: 'db-password: version 4, 43 B\n',
    stderr: 'shop/web: restarting\n',
  });
  const mistyped = await person.berth('secrets', 'rotate', 'db-pasword');
  expect(mistyped.stderr).toMatch(/^There was no secret db-pasword before: it is new/);
  expect(await person.berth('secrets', 'rm', 'db-password')).toMatchObject({ code: 1 });
  expect(await person.bash('berth secrets set empty < /dev/null')).toMatchObject({ code: 2, stdout: '' });
});

it('volumes are listed, and what is not allowed is refused until it is', async () => {
  const rows = stores(world.server.tables);
  const name = 'default-bcdfgh';
  const record = VolumeRecord.parse({
    key: { environment: 'dev', application: 'shop', volume: 'data', slot: 0 },
    machine: name,
    made: true,
    createdAt: new Date().toISOString(),
  });
  await rows.volumes.insert(...placeOf.volume(record.key), record);
  await rows.machines.insert(
    ...placeOf.machine('default', name),
    Machine.parse({
      ...{ name, pool: 'default', size: 'x', image: 'x', vmId: 'x', owner: 'ev-1', cpu: 2, memory: 4096 },
      resources: { vm: 'x', nic: 'x', disk: 'x' },
      address: '10.20.0.5',
      status: { state: 'ready', since: new Date().toISOString() },
    }),
  );
  expect(await person.berthSays('volumes')).toMatch(
    /\nshop\/data +0 +default-bcdfgh +there +\d+s +dev\.shop\.web\/0\.g1\n$/,
  );
  expect((await person.berth('volumes', 'rm', 'shop/data', '--slot', '0')).stderr).toContain(
    'Volume dev.shop.data.0 is that of dev.shop.web/0.g1.',
  );
  write('berth.yaml', 'name: shop\nservices:\n  web: {image: "shop/web:1", capAdd: [NET_ADMIN]}\n');
  const refused = await person.berth('deploy', file, '--no-wait');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain(
    'services.web.capAdd.0: the environment does not allow the capability NET_ADMIN',
  );
  await person.berthSays('allowances', 'set', '--capability', 'NET_ADMIN', '--host-path', '/srv:rw');
  expect(await person.berthSays('allowances')).toContain('host paths    /srv:rw');
  expect(await person.berth('deploy', file, '--no-wait')).toMatchObject({ code: 0 });
});
