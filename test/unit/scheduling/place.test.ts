import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Demand } from '../../../shared/scheduling/demand.ts';
import { place } from '../../../shared/scheduling/place.ts';
import { FIRST_PORT, freeGpuNumbers, freePort, LAST_PORT } from '../../../shared/scheduling/ports.ts';
import { candidate } from './candidates.ts';

const demand: Demand = { cpu: 0.5, memory: 256, port: true };
const WEB = 'dev.shop.web';
const chosen = (wanted: Demand, ...candidates: Parameters<typeof place>[2]) =>
  place(wanted, WEB, candidates).machine;

describe('place', () => {
  test('prefers the fuller machine, so that the others stay empty and can go; by strategy spread the emptier', () => {
    const both = [candidate('empty'), candidate('fuller', { freeCpu: 1 })] as const;
    expect(chosen(demand, ...both)).toBe('fuller');
    expect(chosen({ ...demand, wishes: { strategy: 'spread' } }, ...both)).toBe('empty');
  });

  test('says in words why nothing fits', () => {
    const candidates = [
      candidate('a', { freeCpu: 0.4 }),
      candidate('b', { freeMemory: 100 }),
      candidate('c', {}, { usable: false }),
      candidate('d', { freeCpu: 0.1 }),
    ];
    expect(place(demand, WEB, candidates).reason).toBe(
      'no machine has room for 0.5 cores and 256 MiB: of 4: 2 too few free cores, 1 too little free memory, 1 not usable',
    );
    expect(place(demand, WEB, []).reason).toBe(
      'no machine has room for 0.5 cores and 256 MiB: there is none',
    );
    const special: Demand = { ...demand, gpu: 2, fixed: ['53/udp'], wishes: { constraints: ['zone == 2'] } };
    expect(
      place(special, WEB, [candidate('a', { fixed: ['53/udp'] }), candidate('b', {}, { zone: '2' })]).reason,
    ).toBe(
      'no machine has room for 0.5 cores, 256 MiB, 2 GPUs and port 53/udp: of 2: 1 not zone == 2, 1 too few free GPUs',
    );
  });

  test('ready before coming, whatever else; machines without GPUs for what needs none', () => {
    const gpu = candidate('gpu', { gpu: 1, freeCpu: 0.5 });
    expect(chosen(demand, candidate('coming', { freeCpu: 0.5 }, { coming: true }), gpu)).toBe('gpu');
    expect(chosen(demand, gpu, candidate('plain'))).toBe('plain');
    expect(chosen({ ...demand, gpu: 1 }, candidate('plain'), gpu)).toBe('gpu');
  });

  test('spreads over machines by revision first, then by service', () => {
    const set = `${WEB}.r2`;
    const counts = (old: number, current: number) => ({ groups: { [WEB]: old + current, [set]: current } });
    const [a, b, c] = [
      candidate('a', counts(2, 0)),
      candidate('b', counts(0, 1)),
      candidate('c', counts(1, 0)),
    ];
    expect(chosen({ ...demand, set }, a, b, c)).toBe('c');
    expect(
      chosen({ ...demand, set, wishes: { spread: 'none' } }, a, b, candidate('full', { freeCpu: 0.6 })),
    ).toBe('full');
  });

  test('spreads over zones before machines', () => {
    const groups = { [WEB]: 1 };
    const candidates = [
      candidate('a', { groups }, { zone: '1' }),
      candidate('b', {}, { zone: '1' }),
      candidate('c', { freeCpu: 0.5 }, { zone: '2' }),
    ];
    expect(chosen({ ...demand, wishes: { spread: 'zone', strategy: 'spread' } }, ...candidates)).toBe('c');
    expect(chosen({ ...demand, wishes: { strategy: 'spread' } }, ...candidates)).toBe('b');
  });

  test('affinity, and antiAffinity in both directions', () => {
    const db = candidate('with-db', { groups: { 'dev.shop.db': 1 } });
    const shy = candidate('shy', { groups: { 'dev.shop.shy': 1 }, repels: { [WEB]: 1 } });
    expect(chosen({ ...demand, wishes: { affinity: ['dev.shop.db'] } }, candidate('a'), db)).toBe('with-db');
    expect(chosen({ ...demand, wishes: { antiAffinity: ['dev.shop.db'] } }, db)).toBeUndefined();
    expect(chosen(demand, shy)).toBeUndefined();
    expect(chosen(demand, candidate('agent', { agents: { 'dev.shop.db': 1 } }))).toBe('agent');
  });

  test('goes round the ports, and skips those that are taken', () => {
    expect(freePort([], LAST_PORT)).toBe(LAST_PORT);
    expect(freePort([LAST_PORT], LAST_PORT)).toBe(FIRST_PORT);
    expect(freePort([FIRST_PORT, FIRST_PORT + 1])).toBe(FIRST_PORT + 2);
    expect(freeGpuNumbers(4, [0, 2], 2)).toEqual([1, 3]);
  });

  test('only ever chooses a usable machine that has the room, and finds one if there is one', () => {
    const anyRoom = fc.record({
      freeCpu: fc.double({ min: 0, max: 2, noNaN: true }),
      freeMemory: fc.integer({ min: 0, max: 4096 }),
      usable: fc.boolean(),
      coming: fc.boolean(),
    });
    const anyDemand = fc.record({
      cpu: fc.double({ min: 0.05, max: 2, noNaN: true }),
      memory: fc.integer({ min: 6, max: 4096 }),
      port: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyRoom, { maxLength: 8 }), anyDemand, (some, wanted) => {
        const rooms = some.map(({ usable, coming, ...room }, index) =>
          candidate(`m${index}`, room, { usable, coming }),
        );
        const fits = rooms.filter(
          ({ usable, freeCpu, freeMemory }) => usable && freeCpu >= wanted.cpu && freeMemory >= wanted.memory,
        );
        const placement = place(wanted, WEB, rooms);
        const found = rooms.find(({ machine }) => machine === placement.machine);
        if (fits.length > 0) expect(found).toBeDefined();
        if (found === undefined) return;
        expect(found.usable).toBe(true);
        expect(found.freeCpu).toBeGreaterThanOrEqual(wanted.cpu - 1e-6);
        expect(found.freeMemory).toBeGreaterThanOrEqual(wanted.memory);
        if (fits.some(({ coming }) => !coming)) expect(found.coming).toBe(false);
      }),
    );
  });
});
