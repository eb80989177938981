import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Machine } from '../../../shared/model/machine.ts';
import { holds } from '../../../shared/model/placement.ts';
import { type Change, decide, type Snapshot } from '../../../shared/scheduling/decide.ts';
import { constraintsOf, type Demand } from '../../../shared/scheduling/demand.ts';
import type { Reservation } from '../../../shared/scheduling/rows.ts';
import { type AnyMachine, anyDemand, anyMachine, GROUPS } from './candidates.ts';

const machineOf = ({ usable, coming, gpu, ...facts }: AnyMachine, at: number): Machine =>
  Machine.parse({
    ...facts,
    name: `m${at}`,
    pool: 'default',
    image: 'x',
    resources: { vm: 'x', nic: 'x', disk: 'x' },
    vmId: 'x',
    cpu: 2,
    memory: 4096,
    ...(gpu > 0 && { gpu }),
    status: { state: coming ? 'booting' : usable ? 'ready' : 'silent', since: '2026-11-30T12:00:00Z' },
    owner: 'o',
  });

/** What a machine would be asked, written down once more: from all that is reserved, without any books. */
function admits(machine: Machine, there: readonly Reservation[], group: string, demand: Demand): boolean {
  const { wishes = {}, fixed = [], gpu = 0, set } = demand;
  const sum = (figure: (one: Reservation) => number) => there.reduce((total, one) => total + figure(one), 0);
  const has = (name: string) => there.some((one) => one.group === name);
  return (
    machine.status.state !== 'silent' &&
    sum(({ cpu }) => cpu) + demand.cpu <= machine.cpu + 1e-6 &&
    sum(({ memory }) => memory) + demand.memory <= machine.memory &&
    sum(({ gpus = [] }) => gpus.length) + gpu <= (machine.gpu ?? 0) &&
    fixed.every((port) => !there.some((one) => one.fixed?.includes(port))) &&
    constraintsOf(wishes.constraints ?? []).every((one) =>
      holds(one, { ...machine, machine: machine.name }),
    ) &&
    (wishes.affinity ?? []).every(has) &&
    !(wishes.antiAffinity ?? []).some(has) &&
    !there.some((one) => one.wishes?.antiAffinity?.includes(group)) &&
    (wishes.atMost === undefined ||
      there.filter((one) => (set === undefined ? one.group === group : one.set === set)).length <
        wishes.atMost)
  );
}

test('agrees with who asks every machine anew: room is found if and only if one admits, and everything is kept', () => {
  const anyChange = fc.oneof(
    { weight: 5, arbitrary: fc.record({ group: fc.constantFrom(...GROUPS), demand: anyDemand }) },
    { weight: 1, arbitrary: fc.record({ release: fc.nat(30) }) },
  );
  fc.assert(
    fc.property(
      fc.array(anyMachine, { maxLength: 6 }),
      fc.array(fc.array(anyChange, { maxLength: 12 }), { maxLength: 4 }),
      (some, batches) => {
        const machines = some.map(machineOf);
        let rooms: Snapshot['rooms'] = [];
        const reserved = new Map<string, Reservation>();
        let count = 0;
        for (const batch of batches) {
          const changes = batch.map((one): Change => {
            if ('release' in one) return { kind: 'release', reservation: `c${one.release}` };
            count += 1;
            return { kind: 'reserve', reservation: `c${count}`, ...one, avoid: [], owner: 'o' };
          });
          const known = [...reserved.values()];
          const decision = decide({ rooms, machines, reservations: known }, changes, undefined);
          const made = new Map(decision.reserved.map((one) => [one.reservation, one]));
          for (const [at, change] of changes.entries()) {
            const result = decision.results[at];
            if (change.kind === 'release') reserved.delete(change.reservation);
            if (change.kind !== 'reserve') continue;
            const there = (name: string) => [...reserved.values()].filter(({ machine }) => machine === name);
            const able = machines.filter((one) => admits(one, there(one.name), change.group, change.demand));
            expect(result?.outcome).toBe(able.length > 0 ? 'reserved' : 'no-room');
            if (result?.outcome !== 'reserved') continue;
            expect(able.map(({ name }) => name)).toContain(result.machine);
            const ready = able.some(({ status }) => status.state === 'ready');
            expect(result.record?.status.state).toBe(ready ? 'ready' : 'booting');
            // One that is released again in the same batch is not among those made.
            const one = made.get(change.reservation) ?? {
              reservation: change.reservation,
              group: change.group,
              machine: result.machine,
              cpu: change.demand.cpu,
              memory: change.demand.memory,
              gpus: [...result.gpus],
              fixed: [...(change.demand.fixed ?? [])],
              set: change.demand.set,
              wishes: change.demand.wishes,
            };
            reserved.set(change.reservation, one as Reservation);
          }
          const after = new Map([...rooms, ...decision.changedRooms].map((room) => [room.machine, room]));
          rooms = [...after.values()];
        }
        for (const room of rooms) {
          const there = [...reserved.values()].filter(({ machine }) => machine === room.machine);
          const ports = there.flatMap(({ port }) => port ?? []);
          const gpus = there.flatMap((one) => one.gpus ?? []);
          expect(new Set(ports).size).toBe(ports.length);
          expect(new Set(gpus).size).toBe(gpus.length);
          expect(room.freeCpu).toBeCloseTo(2 - there.reduce((sum, { cpu }) => sum + cpu, 0));
          expect(room.freeCpu).toBeGreaterThanOrEqual(-1e-6);
          expect(room.freeMemory).toBe(4096 - there.reduce((sum, { memory }) => sum + memory, 0));
          expect([...room.ports].sort()).toEqual([...ports].sort());
          expect([...(room.gpus ?? [])].sort()).toEqual([...gpus].sort());
        }
      },
    ),
  );
});
