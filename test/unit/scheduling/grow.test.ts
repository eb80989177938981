import { describe, expect, test } from 'vitest';
import type { Offering } from '../../../shared/machines/offerings/offering.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { type Change, decide, type Snapshot } from '../../../shared/scheduling/decide.ts';
import type { Demand } from '../../../shared/scheduling/demand.ts';
import type { Addition } from '../../../shared/scheduling/grow.ts';

const offering = (size: string, zone: string, more: Partial<Offering> = {}): Offering => ({
  size,
  zone,
  priority: 'regular',
  family: 'f',
  cores: 2,
  cpu: 2,
  memory: 4096,
  ...more,
});
const ranked = {
  offerings: [
    offering('Standard_B2s', '1'),
    offering('Standard_B2s', '2'),
    offering('Standard_NC6', '2', { gpu: 2, cpu: 6 }),
  ],
  passed: [],
};

function pool(labels: Record<string, string> = {}) {
  let count = 0;
  let state: Snapshot = { rooms: [], machines: [], reservations: [] };
  const addition: Addition = {
    maximum: 3,
    hourlyLimit: undefined,
    ranked,
    labels,
    resting: () => undefined,
    newName: () => {
      count += 1;
      return MachineName.parse(`default-${count}`);
    },
    now: '2026-11-30T12:00:00.000Z',
  };
  const make = (change: Change) => {
    const decision = decide(state, [change], addition);
    const rooms = new Map([...state.rooms, ...decision.changedRooms].map((room) => [room.machine, room]));
    state = {
      ...state,
      rooms: [...rooms.values()],
      reservations: [...state.reservations, ...decision.reserved],
    };
    return decision.results[0];
  };
  return {
    rooms: () => state.rooms,
    reserve: (reservation: string, demand: Partial<Demand>) =>
      make({
        kind: 'reserve',
        reservation,
        group: 'dev.shop.web',
        demand: { cpu: 0.5, memory: 64, port: false, ...demand },
        avoid: [],
        owner: 'o',
      }),
    claim: (machine: string) =>
      make({
        kind: 'claim',
        machine: MachineName.parse(machine),
        owner: 'o',
        needs: { cpu: 0, memory: 0 },
        ranked,
      }),
  };
}

describe('a machine is added only where it would do', () => {
  test('of a size and in a zone that the conditions allow, and is made so', () => {
    const { reserve, rooms, claim } = pool();
    const wishes = { constraints: ['zone == 2', 'size == Standard_B2s'] };
    expect(reserve('a', { wishes })).toMatchObject({ outcome: 'reserved', machine: 'default-1' });
    expect(rooms()[0]).toMatchObject({ zone: '2', size: 'Standard_B2s', wants: wishes.constraints });
    expect(claim('default-1')).toMatchObject({
      outcome: 'claimed',
      offering: { size: 'Standard_B2s', zone: '2' },
    });
  });

  test('one that others came to meanwhile is made for all of them, or not at all', () => {
    const { reserve, claim } = pool();
    reserve('a', {});
    expect(reserve('b', { wishes: { constraints: ['zone != 2'] } })).toMatchObject({ machine: 'default-1' });
    expect(claim('default-1')).toMatchObject({ offering: { zone: '1' } });
  });

  test('with GPUs, each given once, by their numbers', () => {
    const { reserve, claim } = pool();
    expect(reserve('a', { gpu: 1 })).toMatchObject({ machine: 'default-1', gpus: [0] });
    expect(reserve('b', { gpu: 1 })).toMatchObject({ machine: 'default-1', gpus: [1] });
    expect(claim('default-1')).toMatchObject({ offering: { size: 'Standard_NC6' } });
    expect(reserve('c', { gpu: 1 })).toMatchObject({ machine: 'default-2', gpus: [0] });
    expect(reserve('d', { gpu: 3 })).toMatchObject({
      outcome: 'no-room',
      reason: expect.stringContaining('Standard_NC6 in zone 2: it has 2 GPUs'),
    });
  });

  test.each([
    [{ wishes: { constraints: ['label.disk == ssd'] } }, 'would not be one with label.disk == ssd'],
    [{ wishes: { constraints: ['machine == default-x'] } }, 'would not be one with machine == default-x'],
    [{ wishes: { affinity: ['dev.shop.db'] } }, 'would be without dev.shop.db'],
    [{ follows: true }, 'no machine is added for what runs once on each'],
    [{ wishes: { constraints: ['zone == 3'] } }, 'Standard_B2s in zone 1: not zone == 3'],
  ])('not for %j', (demand: Partial<Demand>, reason) => {
    const { reserve, rooms } = pool();
    expect(reserve('a', demand)).toMatchObject({
      outcome: 'no-room',
      reason: expect.stringContaining(reason),
    });
    expect(rooms()).toEqual([]);
  });

  test('with the labels of its pool', () => {
    const { reserve } = pool({ disk: 'ssd' });
    expect(reserve('a', { wishes: { constraints: ['label.disk == ssd'] } })).toMatchObject({
      outcome: 'reserved',
    });
  });
});
