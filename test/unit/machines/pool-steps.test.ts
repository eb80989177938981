import { describe, expect, it } from 'vitest';
import { newMachineName, poolOf, resourceNames } from '../../../shared/machines/machine-names.ts';
import { poolSteps, type SightedPools } from '../../../shared/machines/pool-steps.ts';
import { Machine, type MachineStatus } from '../../../shared/model/machine.ts';
import { MachineName, PoolName } from '../../../shared/model/names.ts';
import { PoolSpec } from '../../../shared/model/pool.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const ago = (seconds: number): string => new Date(NOW.getTime() - seconds * 1000).toISOString();
const pool = PoolName.parse('default');

function machine(letters: string, status: MachineStatus, idleSince?: string): Machine {
  const name = MachineName.parse(`default-${letters}`);
  return Machine.parse({
    name,
    pool,
    size: 'Standard_B2s',
    image: 'Debian:debian-12:12-gen2:latest',
    resources: resourceNames(name),
    vmId: '/x',
    cpu: 2,
    memory: 3686,
    status,
    owner: `machine-${name}`,
    idleSince,
  });
}
const ready = (letters: string, idleFor?: number) =>
  machine(letters, { state: 'ready', since: ago(7200) }, idleFor === undefined ? undefined : ago(idleFor));
const failed = (letters: string, age: number) =>
  machine(letters, { state: 'failed', at: ago(age), code: 'x', reason: 'x' });

const steps = (sighted: Partial<SightedPools>) =>
  poolSteps({ now: NOW, pools: new Map(), records: [], reserved: new Set(), ...sighted }).map(
    (step) => `${step.step} ${'machine' in step ? step.machine.name : step.pool}`,
  );
const pools = (spec: object) => new Map([[pool, PoolSpec.parse(spec)]]);

describe('a pool', () => {
  it('notes since when a machine carries nothing, and forgets it when it does', () => {
    expect(steps({ records: [ready('a')] })).toEqual(['note-idle default-a']);
    expect(steps({ records: [ready('a')], reserved: new Set(['default-a']) })).toEqual([]);
    expect(steps({ records: [ready('a', 60)], reserved: new Set(['default-a']) })).toEqual([
      'note-busy default-a',
    ]);
  });

  it('gives a machine back that was idle for its time', () => {
    expect(steps({ records: [ready('a', 599)] })).toEqual([]);
    expect(steps({ records: [ready('a', 600)] })).toEqual(['retire-idle default-a']);
    expect(steps({ records: [ready('a', 10)], pools: pools({ idle: 5 }) })).toEqual([
      'retire-idle default-a',
    ]);
  });

  it('keeps its minimum', () => {
    const records = [ready('a', 900), ready('b', 900), ready('c', 900)];
    expect(steps({ records, pools: pools({ minimum: 2 }) })).toEqual(['retire-idle default-a']);
    expect(steps({ records, pools: pools({ minimum: 3 }) })).toEqual([]);
  });

  it('fills up to its minimum, counting what is coming', () => {
    const booting = machine('a', { state: 'booting', since: ago(10) });
    expect(steps({ records: [booting], pools: pools({ minimum: 3 }) })).toEqual([
      'add-machine default',
      'add-machine default',
    ]);
  });

  it('rests longer with every failure of the last hour', () => {
    const wants = pools({ minimum: 1 });
    const added = ['add-machine default'];
    expect(steps({ records: [failed('a', 59)], pools: wants })).toEqual([]);
    expect(steps({ records: [failed('a', 61)], pools: wants })).toEqual(added);
    expect(steps({ records: [failed('a', 500), failed('b', 299)], pools: wants })).toEqual([]);
    expect(steps({ records: [failed('a', 500), failed('b', 301)], pools: wants })).toEqual(added);
    const many = ['a', 'b', 'c', 'd'].map((letters) => failed(letters, 899));
    expect(steps({ records: many, pools: wants })).toEqual([]);
    expect(steps({ records: [failed('a', 3601)], pools: wants })).toEqual(added);
  });

  it('names its machines so that the name tells the pool', () => {
    const name = newMachineName(PoolName.parse('big-pool'), Math.random);
    expect(name).toMatch(/^big-pool-[a-z0-9]{6}$/);
    expect(poolOf(name)).toBe('big-pool');
  });
});
