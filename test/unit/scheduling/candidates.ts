import fc from 'fast-check';
import type { Demand } from '../../../shared/scheduling/demand.ts';
import type { Candidate } from '../../../shared/scheduling/fit.ts';
import { MachineBooks } from '../../../shared/scheduling/machine-books.ts';
import { FIRST_PORT } from '../../../shared/scheduling/ports.ts';
import { MachineRoom } from '../../../shared/scheduling/rows.ts';

export const GROUPS = ['dev.a.web', 'dev.a.db', 'dev.b.job'];

/** A ready machine of two cores on which nothing is. */
export const candidate = (
  machine: string,
  room: Partial<MachineRoom> = {},
  facts: Partial<Pick<Candidate, 'usable' | 'coming' | 'zone' | 'size' | 'labels'>> = {},
): MachineBooks =>
  new MachineBooks(
    MachineRoom.parse({
      machine,
      cpu: 2,
      memory: 4096,
      freeCpu: 2,
      freeMemory: 4096,
      ports: [],
      nextPort: FIRST_PORT,
      groups: {},
      owner: 'o',
      addedAt: '2026-11-30T12:00:00.000Z',
      ...room,
    }),
    { usable: true, coming: false, zone: undefined, size: undefined, labels: {}, ...facts },
  );

export const anyDemand: fc.Arbitrary<Demand> = fc.record(
  {
    cpu: fc.constantFrom(0.1, 0.5, 1.5),
    memory: fc.constantFrom(64, 512, 3000),
    port: fc.boolean(),
    gpu: fc.constantFrom(0, 0, 1),
    fixed: fc.constantFrom([], [], ['80/tcp'], ['53/udp', '80/tcp']),
    set: fc.constantFrom('r1', 'r2'),
    wishes: fc.record(
      {
        constraints: fc.subarray(['label.disk == ssd', 'zone != 1', 'size == Standard_D2s_v5'], {
          maxLength: 1,
        }),
        antiAffinity: fc.subarray(GROUPS, { maxLength: 1 }),
        affinity: fc.subarray(GROUPS, { maxLength: 1 }),
        spread: fc.constantFrom('machine', 'zone', 'none'),
        strategy: fc.constantFrom('binpack', 'spread'),
        atMost: fc.constantFrom(1, 2),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['cpu', 'memory', 'port'] },
);

export const anyMachine = fc.record({
  zone: fc.constantFrom(undefined, '1', '2', '3'),
  size: fc.constantFrom('Standard_B2s', 'Standard_D2s_v5'),
  labels: fc.constantFrom({}, { disk: 'ssd' }),
  usable: fc.constantFrom(true, true, true, false),
  coming: fc.constantFrom(false, false, true),
  gpu: fc.constantFrom(0, 0, 2),
});

export type AnyMachine = typeof anyMachine extends fc.Arbitrary<infer M> ? M : never;
