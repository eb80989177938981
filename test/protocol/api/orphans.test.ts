import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaggedResource } from '../../../shared/machines/cloud.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
const resource = (
  kind: TaggedResource['kind'],
  name: string,
  machine: string,
  seconds = 600,
  size?: string,
): TaggedResource => ({ kind, name, machine, createdAt: ago(seconds), ...(size !== undefined && { size }) });

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeEach(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
  // m1 is a machine that is ready; `default-lost` has no record.
  const tagged = [
    resource('vm', 'm1', 'm1'),
    resource('nic', 'm1-old-nic', 'm1'),
    resource('vm', 'default-lost', 'default-lost', 600, 'Standard_B2s'),
    resource('disk', 'default-lost-disk', 'default-lost'),
    resource('public-ip', 'default-lost-ip', 'default-lost'),
    resource('nic', 'default-new-nic', 'default-new', 60),
  ];
  const images = [{ name: 'old', id: '/images/old', profile: 'x', createdAt: ago(600) }];
  Object.assign(world.server.services.cloud, { tagged: async () => tagged });
  Object.assign(world.server.services.machineImages, { tagged: async () => images });
});
afterEach(() => world.server.close());

describe('orphans', () => {
  it('are listed with why they are some and what they cost; the young and what a machine has are not touched', async () => {
    const { status, json } = await ask('GET', '/api/v1/orphans');
    expect(status).toBe(200);
    const { orphans } = json as { orphans: Record<string, unknown>[] };
    const lost = { machine: 'default-lost', reason: 'default-lost has no record', spared: false };
    expect(orphans).toMatchObject([
      { kind: 'nic', name: 'm1-old-nic', reason: 'an earlier attempt at m1 left it', hourly: 0 },
      { kind: 'vm', name: 'default-lost', ...lost, hourly: 0.048 },
      { kind: 'disk', name: 'default-lost-disk', ...lost, hourly: expect.closeTo(0.0033, 4) },
      { kind: 'public-ip', name: 'default-lost-ip', ...lost, hourly: 0.005 },
      { kind: 'nic', name: 'default-new-nic', spared: true },
      { kind: 'image', name: 'old', reason: 'no golden image has it' },
    ]);
    expect(world.server.durable.starts).toEqual([]);
  });

  it('are removed together, those of each machine by one orchestration; the young stay', async () => {
    const removed: string[] = [];
    Object.assign(world.server.services.machineImages, {
      remove: async (name: string) => {
        removed.push(name);
        return { status: 'done' };
      },
    });
    expect((await ask('DELETE', '/api/v1/orphans')).status).toBe(202);
    expect(world.server.durable.starts.map(({ name, id, input }) => ({ name, id, input }))).toEqual([
      {
        name: 'remove-orphans',
        id: 'orphans-m1',
        input: { machine: 'm1', orphans: [{ kind: 'nic', name: 'm1-old-nic' }] },
      },
      {
        name: 'remove-orphans',
        id: 'orphans-default-lost',
        input: {
          machine: 'default-lost',
          orphans: [
            { kind: 'vm', name: 'default-lost' },
            { kind: 'disk', name: 'default-lost-disk' },
            { kind: 'public-ip', name: 'default-lost-ip' },
          ],
        },
      },
    ]);
    expect(removed).toEqual(['old']);
  });
});
