import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  environmentSubnet,
  LONGEST_PREFIX,
  layoutOf,
  MOST_CONTAINERS,
  MOST_ENVIRONMENTS,
  machineSubnet,
  mostMachines,
  resolverOf,
} from '../../../shared/networks/address-plan.ts';
import { addressOf, cidrOf, networkOf, numberOf, overlaps } from '../../../shared/networks/ipv4.ts';
import { type Numbers, numberOfOwner, release, take } from '../../../shared/networks/numbers.ts';

const range = fc
  .tuple(fc.integer({ min: 8, max: LONGEST_PREFIX }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  .map(([bits, value]) => cidrOf(networkOf(`${addressOf(value)}/${bits}`)));
const placed = range.chain((cidr) =>
  fc.record({
    range: fc.constant(cidr),
    machine: fc.integer({ min: 1, max: mostMachines(cidr) }),
    other: fc.integer({ min: 1, max: mostMachines(cidr) }),
    environment: fc.integer({ min: 1, max: MOST_ENVIRONMENTS }),
    another: fc.integer({ min: 1, max: MOST_ENVIRONMENTS }),
    host: fc.integer({ min: 1, max: 126 }),
  }),
);
const inside = (inner: string, outer: string) =>
  networkOf(inner).bits >= networkOf(outer).bits && overlaps(inner, outer);

describe('the plan of addresses', () => {
  it('gives two machines, and two environments on one, networks that do not touch', () => {
    fc.assert(
      fc.property(placed, ({ range: all, machine, other, environment, another }) => {
        expect(overlaps(machineSubnet(all, machine), machineSubnet(all, other))).toBe(machine === other);
        const own = environmentSubnet(all, machine, environment).subnet;
        expect(overlaps(own, environmentSubnet(all, machine, another).subnet)).toBe(environment === another);
        expect(inside(own, machineSubnet(all, machine))).toBe(true);
        expect(inside(machineSubnet(all, machine), all)).toBe(true);
        // The machine's own address is in no environment's network.
        expect(overlaps(`${resolverOf(all, machine)}/32`, own)).toBe(false);
      }),
    );
  });

  it('tells an environment by the mask with a gap, on whatever machine', () => {
    fc.assert(
      fc.property(placed, ({ range: all, machine, environment, another, host }) => {
        const { environmentMask, hostBits } = layoutOf(all);
        const mask = BigInt(numberOf(environmentMask));
        const of = (number: number) => BigInt(networkOf(all).first + number * 2 ** hostBits);
        const address = BigInt(networkOf(environmentSubnet(all, machine, environment).subnet).first + host);
        expect((address & mask) === of(environment)).toBe(true);
        expect((address & mask) === of(another)).toBe(environment === another);
      }),
    );
  });

  it('is that of the documentation', () => {
    expect(mostMachines('100.64.0.0/10')).toBe(511);
    expect(mostMachines('10.0.0.0/8')).toBe(2047);
    expect([MOST_ENVIRONMENTS, MOST_CONTAINERS]).toEqual([63, 125]);
    expect(machineSubnet('100.64.0.0/10', 1)).toBe('100.64.32.0/19');
    expect(environmentSubnet('100.64.0.0/10', 1, 1)).toEqual({
      subnet: '100.64.32.128/25',
      gateway: '100.64.32.129',
    });
    expect(resolverOf('100.64.0.0/10', 2)).toBe('100.64.64.1');
    expect(layoutOf('100.64.0.0/10').environmentMask).toBe('255.192.31.128');
  });
});

describe('numbers', () => {
  it('are never given twice, stay with their owner, and come back', () => {
    const step = fc.record({ owner: fc.integer({ min: 0, max: 12 }).map(String), leaves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (steps, most) => {
        let numbers: Numbers = { taken: {} };
        const model = new Map<string, number>();
        for (const { owner, leaves } of steps) {
          if (leaves) {
            numbers = release(numbers, owner);
            model.delete(owner);
            continue;
          }
          const next = take(numbers, owner, most);
          if (next === undefined) expect(model.size).toBe(most);
          else {
            numbers = next;
            const number = numberOfOwner(next, owner) ?? 0;
            expect(model.get(owner) ?? number).toBe(number);
            model.set(owner, number);
          }
          expect(new Set(model.values()).size).toBe(model.size);
          for (const number of model.values()) expect(number >= 1 && number <= most).toBe(true);
        }
      }),
    );
  });
});
