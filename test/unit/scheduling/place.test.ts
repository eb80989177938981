import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIRST_PORT, freePort, LAST_PORT, place, type Room } from '../../../shared/scheduling/place.ts';

const room = (machine: string, change: Partial<Room> = {}): Room => ({
  machine,
  cpu: 2,
  memory: 4096,
  freeCpu: 2,
  freeMemory: 4096,
  ports: [],
  nextPort: FIRST_PORT,
  usable: true,
  coming: false,
  siblings: 0,
  ...change,
});
const demand = { cpu: 0.5, memory: 256, port: true };

describe('place', () => {
  test('prefers the fuller machine, so that the others stay empty and can go', () => {
    expect(place(demand, [room('empty'), room('fuller', { freeCpu: 1 })]).machine).toBe('fuller');
  });

  test('says in words why nothing fits', () => {
    const rooms = [
      room('a', { freeCpu: 0.4 }),
      room('b', { freeMemory: 100 }),
      room('c', { usable: false }),
      room('d', { freeCpu: 0.1 }),
    ];
    expect(place(demand, rooms).reason).toBe(
      'no machine has room for 0.5 cores and 256 MiB: of 4: 2 too few free cores, 1 too little free memory, 1 not usable',
    );
    expect(place(demand, []).reason).toBe('no machine has room for 0.5 cores and 256 MiB: there is none');
  });

  test('goes round the ports, and skips those that are taken', () => {
    expect(freePort([], LAST_PORT)).toBe(LAST_PORT);
    expect(freePort([LAST_PORT], LAST_PORT)).toBe(FIRST_PORT);
    expect(freePort([FIRST_PORT, FIRST_PORT + 1])).toBe(FIRST_PORT + 2);
  });

  test('only ever chooses a usable machine that has the room, and finds one if there is one', () => {
    const anyRoom = fc.record({
      freeCpu: fc.double({ min: 0, max: 2, noNaN: true }),
      freeMemory: fc.integer({ min: 0, max: 4096 }),
      usable: fc.boolean(),
      coming: fc.boolean(),
      siblings: fc.nat(3),
    });
    const anyDemand = fc.record({
      cpu: fc.double({ min: 0.05, max: 2, noNaN: true }),
      memory: fc.integer({ min: 6, max: 4096 }),
      port: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyRoom, { maxLength: 8 }), anyDemand, (some, wanted) => {
        const rooms = some.map((one, index) => room(`m${index}`, one));
        const fits = rooms.filter(
          (one) => one.usable && one.freeCpu >= wanted.cpu && one.freeMemory >= wanted.memory,
        );
        const placement = place(wanted, rooms);
        const chosen = rooms.find(({ machine }) => machine === placement.machine);
        if (fits.length > 0) expect(chosen).toBeDefined();
        if (chosen === undefined) return;
        expect(chosen.usable).toBe(true);
        expect(chosen.freeCpu).toBeGreaterThanOrEqual(wanted.cpu - 1e-6);
        expect(chosen.freeMemory).toBeGreaterThanOrEqual(wanted.memory);
        if (fits.some(({ coming }) => !coming)) expect(chosen.coming).toBe(false);
      }),
    );
  });
});
