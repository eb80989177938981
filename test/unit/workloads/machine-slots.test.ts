import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ServiceSpec } from '../../../shared/model/application.ts';
import { Machine } from '../../../shared/model/machine.ts';
import { machineSlots } from '../../../shared/workloads/machine-slots.ts';

const spec = ServiceSpec.parse({
  image: 'shop/agent:1',
  mode: 'one-per-machine',
  placement: { constraints: ['label.disk == ssd'] },
});
const at = '2026-11-30T12:00:00.000Z';

const machineOf = (one: { state: string; cordon: string; ssd: boolean }, index: number): Machine =>
  Machine.parse({
    name: `default-${index}`,
    pool: 'default',
    size: 'Standard_B2s',
    image: 'x',
    resources: { vm: 'x', nic: 'x', disk: 'x' },
    vmId: 'x',
    cpu: 2,
    memory: 4096,
    labels: one.ssd ? { disk: 'ssd' } : {},
    status: { state: one.state, since: at },
    ...(one.cordon !== 'none' && {
      cordon: { since: at, by: 'user', reason: 'r', drain: one.cordon === 'drain' },
    }),
    owner: 'o',
  });

test('every machine that is to have one has one slot, and keeps it', () => {
  const anyMachine = fc.record({
    state: fc.constantFrom('ready', 'ready', 'ready', 'booting', 'silent'),
    cordon: fc.constantFrom('none', 'none', 'cordon', 'drain'),
    ssd: fc.boolean(),
  });
  const anyReplica = fc.record({
    slot: fc.nat(7),
    generation: fc.integer({ min: 1, max: 3 }),
    on: fc.nat(9),
  });
  fc.assert(
    fc.property(
      fc.array(anyMachine, { maxLength: 7 }),
      fc.array(anyReplica, { maxLength: 8 }),
      (some, there) => {
        const machines = some.map(machineOf);
        // A slot's replicas are of different generations, and a machine has one of the set.
        const seen = new Set<string>();
        const replicas = there.flatMap(({ slot, generation, on }) => {
          if (seen.has(`slot ${slot}`) || seen.has(`on ${on}`)) return [];
          seen.add(`slot ${slot}`).add(`on ${on}`);
          return [{ slot, generation, machine: `default-${on}` }];
        });
        const slots = machineSlots(spec, machines, replicas) ?? [];
        expect(new Set(slots).size).toBe(slots.length);
        const stays = (machine: Machine) =>
          machine.status.state === 'ready' && machine.cordon?.drain !== true;
        const has = (machine: Machine) => replicas.find((one) => one.machine === machine.name);
        const kept = machines.filter((one) => stays(one) && has(one) !== undefined);
        const fresh = machines.filter(
          (one) =>
            one.status.state === 'ready' &&
            one.cordon === undefined &&
            one.labels['disk'] === 'ssd' &&
            !has(one),
        );
        expect(slots).toHaveLength(kept.length + fresh.length);
        for (const machine of kept) expect(slots).toContain(has(machine)?.slot);
        expect(machineSlots({ ...spec, mode: 'replicated' }, machines, replicas)).toBeUndefined();
      },
    ),
  );
});
