import { afterAll, beforeAll, expect, it } from 'vitest';
import { Machine } from '../../../shared/model/machine.ts';
import { ServiceKey } from '../../../shared/model/service.ts';
import { VolumeRecord, volumeId } from '../../../shared/model/volume-record.ts';
import { placeOf, stores } from '../../../shared/workloads/stores.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
  await stores(world.server.tables).machines.insert(...placeOf.machine(machine.pool, machine.name), machine);
});
afterAll(() => world.server.close());

const path = '/api/v1/environments/dev/volumes';
const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });

const machine = Machine.parse({
  name: 'default-bcdfgh',
  pool: 'default',
  size: 'Standard_B2s',
  image: 'Debian:debian-13:13-gen2:latest',
  resources: { vm: 'm', nic: 'm', disk: 'm' },
  vmId: '/subscriptions/x/virtualMachines/m',
  address: '10.20.0.5',
  cpu: 2,
  memory: 4096,
  status: { state: 'ready', since: '2026-01-01T00:00:00.000Z' },
  owner: 'ev-1',
});

/** A volume on a machine, as the start of a replica records it. */
async function volume(slot: number, machine: string): Promise<VolumeRecord> {
  const { environment, application } = web;
  const record = VolumeRecord.parse({
    key: { environment, application, volume: 'data', slot },
    machine,
    made: true,
    createdAt: '2026-01-01T00:00:00.000Z',
  });
  const { volumes } = stores(world.server.tables);
  await volumes.upsert(...placeOf.volume(record.key), record);
  await world.engine.volumes.create({ name: volumeId(record.key), labels: {} });
  return record;
}

it('volumes say where they are and what has them, and one that is used is not removed', async () => {
  const json = {
    name: 'shop',
    services: { web: { image: 'shop/web:1', volumes: ['data:/data'] } },
    volumes: { data: {} },
  };
  await world.push('shop/web:1');
  expect((await ask('PUT', '/api/v1/environments/dev/applications/shop', { json })).status).toBe(202);
  await world.replica(web, 0);
  await volume(0, machine.name);
  const { key } = await volume(1, machine.name);
  await volume(2, 'gone-1');
  expect((await ask('GET', path)).json).toMatchObject({
    volumes: [
      {
        key: { volume: 'data', slot: 0 },
        machine: machine.name,
        state: 'there',
        usedBy: ['dev.shop.web/0.g1'],
      },
      { key: { slot: 1 }, state: 'there', usedBy: [] },
      { key: { slot: 2 }, state: 'gone' },
    ],
  });
  expect((await ask('DELETE', `${path}/shop/data/0`)).json).toMatchObject({
    code: 'volume-in-use',
    status: 409,
  });
  expect(await world.engine.volumes.inspect(volumeId(key))).toBeDefined();
  expect((await ask('DELETE', `${path}/shop/data/1`)).status).toBe(204);
  expect(await world.engine.volumes.inspect(volumeId(key))).toBeUndefined();
});

it('one whose machine is gone goes only if it is to be forgotten, and an unknown one is not found', async () => {
  expect((await ask('DELETE', `${path}/shop/data/2`)).json).toMatchObject({
    code: 'volume-out-of-reach',
    remedy: expect.stringContaining('--forget'),
  });
  expect((await ask('DELETE', `${path}/shop/data/2?forget=true`)).status).toBe(204);
  expect((await ask('DELETE', `${path}/shop/data/2`)).json).toMatchObject({ code: 'volume-not-found' });
  expect((await ask('DELETE', `${path}/shop/data/x`)).status).toBe(400);
});
