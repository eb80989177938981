import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Demand } from '../../../shared/scheduling/demand.ts';
import { MachineBooks } from '../../../shared/scheduling/machine-books.ts';
import { place } from '../../../shared/scheduling/place.ts';
import { PlacementIndex } from '../../../shared/scheduling/placement-index.ts';
import { reservationOn } from '../../../shared/scheduling/room.ts';
import { type AnyMachine, anyDemand, anyMachine, candidate, GROUPS } from './candidates.ts';

const machineOf = ({ gpu, ...facts }: AnyMachine, name: string) =>
  candidate(name, gpu > 0 ? { gpu } : {}, facts);

test('an index chooses what a look at all machines chooses, whatever changed since', () => {
  const anyStep = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ place: fc.nat(3), avoid: fc.constantFrom([], [], ['m0'], ['m1', 'm2']) }),
    },
    { weight: 1, arbitrary: fc.record({ changed: fc.nat(9), usable: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ added: anyMachine }) },
  );
  fc.assert(
    fc.property(
      fc.array(anyMachine, { maxLength: 10 }),
      fc.array(fc.tuple(fc.constantFrom(...GROUPS), anyDemand), { minLength: 4, maxLength: 4 }),
      fc.array(anyStep, { maxLength: 60 }),
      (some, kinds, steps) => {
        const machines = new Map<string, MachineBooks>();
        const put = (one: MachineBooks) => machines.set(one.machine, one);
        for (const [at, one] of some.entries()) put(machineOf(one, `m${at}`));
        const index = new PlacementIndex(machines.values());
        steps.forEach((step, at) => {
          if ('added' in step) {
            const one = machineOf(step.added, `n${at}`);
            put(one);
            index.put(one);
          } else if ('changed' in step) {
            const known = machines.get(`m${step.changed}`);
            if (known === undefined) return;
            const { zone, size, labels, coming } = known;
            const one = new MachineBooks(known.row(), { zone, size, labels, coming, usable: step.usable });
            put(one);
            index.put(one);
          } else {
            const [group, demand] = kinds[step.place] as [string, Demand];
            const placement = index.place(demand, group, step.avoid);
            expect(placement).toEqual(place(demand, group, [...machines.values()], step.avoid));
            const known = machines.get(placement.machine ?? '');
            if (known === undefined) return;
            known.take(reservationOn(known, { reservation: `c${at}`, group, demand }, undefined));
            index.put(known);
          }
        });
      },
    ),
  );
});
