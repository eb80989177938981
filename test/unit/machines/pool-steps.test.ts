import { describe, expect, it } from 'vitest';
import { afterFailure } from '../../../shared/machines/breaker/breaker.ts';
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
    image: 'Debian:debian-13:13-gen2:latest',
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
const steps = (sighted: Partial<SightedPools>) =>
  poolSteps({
    now: NOW,
    pools: new Map(),
    records: [],
    reserved: new Set(),
    breakers: new Map(),
    ...sighted,
  }).map((step) => `${step.step} ${'machine' in step ? step.machine.name : step.pool}`);
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

  it('gives the labels that it has by now to machines that there are', () => {
    const labelled = { pools: pools({ labels: { disk: 'ssd' }, minimum: 1 }) };
    const busy = { reserved: new Set(['default-a']) };
    expect(steps({ records: [ready('a')], ...labelled, ...busy })).toEqual(['label-machine default-a']);
    const records = [{ ...ready('a'), labels: { disk: 'ssd' } }];
    expect(steps({ records, ...labelled, ...busy })).toEqual([]);
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

  it('keeps spares beyond the machines in use, within its maximum', () => {
    const used = ['a', 'b'].map((letters) => ready(letters));
    const reserved = new Set(['default-a', 'default-b']);
    const spares = (spec: object, records = used) => steps({ records, reserved, pools: pools(spec) });
    expect(spares({ spares: 1 })).toEqual(['add-machine default']);
    expect(spares({ spares: 5, maximum: 4 })).toEqual(['add-machine default', 'add-machine default']);
    expect(spares({ spares: 1 }, [...used, ready('c', 9000)])).toEqual([]);
    expect(spares({ spares: 1 }, [...used, ready('c', 9000), ready('d', 9000)])).toEqual([
      'retire-idle default-c',
    ]);
    expect(steps({ pools: pools({ spares: 2 }) })).toEqual(['add-machine default', 'add-machine default']);
  });

  it('follows its schedule', () => {
    const office = { cron: '0 8 * * *', timeZone: 'UTC', for: 6 * 3600, minimum: 2 };
    const closed = { ...office, cron: '0 14 * * *' };
    expect(steps({ pools: pools({ schedule: [office] }) })).toHaveLength(2);
    expect(steps({ pools: pools({ schedule: [closed] }) })).toEqual([]);
    expect(steps({ pools: pools({ schedule: [office, { ...office, maximum: 1 }] }) })).toHaveLength(1);
    // Berlin is an hour ahead: 13:00 there.
    const lunch = { cron: '30 12 * * *', timeZone: 'Europe/Berlin', for: 3600, minimum: 1 };
    expect(steps({ pools: pools({ schedule: [lunch] }) })).toHaveLength(1);
  });

  it('gets another machine for one that is cordoned', () => {
    const cordon = { since: ago(1), by: 'drift', reason: 'x', drain: true } as const;
    expect(steps({ records: [{ ...ready('a'), cordon }], pools: pools({ minimum: 1 }) })).toEqual([
      'add-machine default',
    ]);
  });

  it('rests after failures, and a machine that becomes ready ends that', () => {
    const failure = (name: string) => ({ machine: name, code: 'x', reason: 'x' });
    const failedAgo = (minutes: number) =>
      new Map([['default', afterFailure(undefined, failure('default-x'), new Date(ago(minutes * 60)))!]]);
    const wants = { pools: pools({ minimum: 2 }) };
    expect(steps({ ...wants, breakers: failedAgo(0.5) })).toEqual([]);
    expect(steps({ ...wants, breakers: failedAgo(2) })).toHaveLength(2);
    const readyFor = (seconds: number) => machine('a', { state: 'ready', since: ago(seconds) }, ago(1));
    expect(steps({ ...wants, records: [readyFor(10)], breakers: failedAgo(0.5) })).toEqual([
      'end-failures default',
      'add-machine default',
    ]);
    expect(steps({ ...wants, records: [readyFor(60)], breakers: failedAgo(0.5) })).toEqual([]);
  });

  it('names its machines so that the name tells the pool', () => {
    const name = newMachineName(PoolName.parse('big-pool'), Math.random);
    expect(name).toMatch(/^big-pool-[a-z0-9]{6}$/);
    expect(poolOf(name)).toBe('big-pool');
  });
});
