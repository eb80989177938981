import { describe, expect, test } from 'vitest';
import { Machine } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';
import { homeless } from '../../../shared/scheduling/homeless.ts';
import { Reservation } from '../../../shared/scheduling/rows.ts';
import { plainOutlook } from '../../support/pools.ts';

const NOW = '2026-11-25T12:00:00.000Z';
const machine = (name: string, more: Record<string, unknown> = {}) =>
  Machine.parse({
    name,
    pool: 'default',
    size: 'Standard_B2s',
    image: 'x',
    resources: { vm: 'x', nic: 'x', disk: 'x' },
    vmId: '/x',
    cpu: 2,
    memory: 4096,
    status: { state: 'ready', since: NOW },
    owner: 'x',
    ...more,
  });
const replica = (slot: number) =>
  Reservation.parse({
    reservation: `dev.hello.web.r1.${slot}.g1`,
    machine: 'default-bbbbbb',
    group: 'dev.hello.web',
    cpu: 1.5,
    memory: 1024,
    port: 20_000 + slot,
  });
const ask = (there: readonly Reservation[], machines: readonly Machine[], maximum: number) =>
  homeless(
    'default-bbbbbb',
    there,
    { rooms: [], machines },
    { ...plainOutlook({ maximum }), newName: () => MachineName.parse('default-zzzzzz'), now: NOW },
  );

describe('homeless', () => {
  const own = machine('default-bbbbbb');
  const other = machine('default-cccccc');

  test('what fits on the others, or on one more machine, is not', () => {
    expect(ask([replica(0)], [own, other], 2)).toBeUndefined();
    expect(ask([replica(0)], [own], 2)).toBeUndefined();
    expect(ask([], [own], 1)).toBeUndefined();
  });

  test('what has room on its own machine alone is, with the reason', () => {
    expect(ask([replica(0)], [own], 1)).toBe(
      'dev.hello.web: no machine has room for 1.5 cores and 1024 MiB: of 1: 1 not usable; the pool has its maximum of 1 machines',
    );
  });

  test('all of it is counted together, and cordoned machines are no room', () => {
    expect(ask([replica(0), replica(1)], [own, other], 2)).toContain('too few free cores');
    const cordon = { since: NOW, by: 'user', reason: 'r', drain: false };
    expect(ask([replica(0)], [own, machine('default-cccccc', { cordon })], 2)).toContain('not usable');
  });
});
