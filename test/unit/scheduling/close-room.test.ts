import { describe, expect, it } from 'vitest';
import { resourceNames } from '../../../shared/machines/machine-names.ts';
import { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { capacity } from '../../../shared/scheduling/capacity.ts';
import { closeRoom, reservedMachines } from '../../../shared/scheduling/close-room.ts';
import { memoryTables } from '../../../shared/state/tables.memory.ts';
import { plainOutlook } from '../../support/pools.ts';

const name = MachineName.parse('default-k3x9bc');
const machine = Machine.parse({
  name,
  pool: 'default',
  size: 'Standard_B2s',
  image: 'Debian:debian-13:13-gen2:latest',
  resources: resourceNames(name),
  vmId: '/x',
  cpu: 2,
  memory: 3686,
  status: { state: 'ready', since: '2026-11-25T12:00:00Z' },
  owner: 'x',
});

function world() {
  const tables = memoryTables();
  const reservations = capacity({
    tables,
    machines: async () => [machine],
    outlook: async () => plainOutlook({ maximum: 1 }),
    now: () => new Date('2026-11-25T12:00:00Z'),
    random: Math.random,
    sleep: async () => {},
  });
  const reserve = (follows = false) =>
    reservations.reserve('default', {
      reservation: 'dev.hello.web.r1.0.g1',
      group: 'dev.hello.web',
      demand: { cpu: 0.1, memory: 64, port: true, follows },
      avoid: [],
      owner: 'x',
    });
  const release = () => reservations.release('default', 'dev.hello.web.r1.0.g1');
  return { tables, reserve, release };
}

describe('a machine’s room', () => {
  it('is closed when nothing is reserved, and takes nothing any more', async () => {
    const { tables, reserve } = world();
    expect(await closeRoom(tables, machine)).toBe(true);
    expect((await reserve()).outcome).toBe('no-room');
    expect(await reservedMachines(tables)).toEqual(new Set());
  });

  it('stays open while something is reserved', async () => {
    const { tables, reserve, release } = world();
    expect((await reserve()).outcome).toBe('reserved');
    expect(await reservedMachines(tables)).toEqual(new Set([name]));
    expect(await closeRoom(tables, machine)).toBe(false);
    await release();
    expect(await closeRoom(tables, machine)).toBe(true);
    expect((await reserve()).outcome).toBe('no-room');
  });

  it('is either closed or reserved when both happen at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { tables, reserve } = world();
      const [closed, result] = await Promise.all([closeRoom(tables, machine), reserve()]);
      expect(closed).toBe(result.outcome === 'no-room');
    }
  });

  it('is not held by what runs once on each machine', async () => {
    const { tables, reserve } = world();
    expect((await reserve(true)).outcome).toBe('reserved');
    expect(await reservedMachines(tables)).toEqual(new Set());
    expect(await closeRoom(tables, machine)).toBe(true);
  });
});
