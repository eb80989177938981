import { describe, expect, test } from 'vitest';
import { ScheduledEventsReport } from '../../../shared/machines/observation.ts';
import { pauseBetweenLooks, runsEndAt } from '../../../shared/machines/replacement/drain-state.ts';
import { announced } from '../../../shared/machines/replacement/scheduled-events.ts';
import { Machine } from '../../../shared/model/machine.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const machine = (more: Record<string, unknown> = {}) =>
  Machine.parse({
    name: 'default-bbbbbb',
    pool: 'default',
    size: 'x',
    image: 'x',
    resources: { vm: 'default-bbbbbb-2', nic: 'x', disk: 'x' },
    vmId: '/x',
    cpu: 2,
    memory: 3686,
    status: { state: 'ready', since: NOW.toISOString() },
    owner: 'x',
    ...more,
  });
// As https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events shows it.
const event = (EventType: string, more: Record<string, unknown> = {}) =>
  ScheduledEventsReport.parse({
    events: [
      {
        EventId: 'A123BC45-1234-5678-AB90-ABCDEF123456',
        EventType,
        ResourceType: 'VirtualMachine',
        Resources: ['default-bbbbbb-2'],
        EventStatus: 'Scheduled',
        NotBefore: 'Wed, 25 Nov 2026 12:00:30 GMT',
        Description: 'x',
        EventSource: 'Platform',
        DurationInSeconds: -1,
        ...more,
      },
    ],
  }).events;
const drained = { drain: true, since: NOW.toISOString(), reason: 'r', drainedAt: NOW.toISOString() };

describe('announced', () => {
  test.each(['Preempt', 'Terminate'])('%s has the machine drained until then', (type) => {
    const { machine: changed, approve } = announced(machine(), event(type), NOW);
    expect(changed?.cordon).toMatchObject({ by: 'eviction', drain: true, until: '2026-11-25T12:00:30.000Z' });
    expect(approve).toEqual([]);
    expect(
      announced(changed ?? machine(), event(type), new Date(NOW.getTime() + 2000)).machine,
    ).toBeUndefined();
  });

  test('it is approved as soon as nothing is on the machine', () => {
    const free = machine({ cordon: { ...drained, by: 'eviction', until: '2026-11-25T12:00:30.000Z' } });
    expect(announced(free, event('Preempt'), NOW)).toEqual({
      approve: ['A123BC45-1234-5678-AB90-ABCDEF123456'],
    });
    const started = { EventStatus: 'Started', NotBefore: '' };
    expect(announced(free, event('Preempt', started), NOW).approve).toEqual([]);
  });

  test('a freeze needs nothing, and another machine’s event concerns none here', () => {
    expect(announced(machine(), event('Freeze'), NOW)).toEqual({
      approve: ['A123BC45-1234-5678-AB90-ABCDEF123456'],
    });
    expect(announced(machine(), event('Preempt', { Resources: ['other'] }), NOW)).toEqual({ approve: [] });
  });

  test('after maintenance the machine is open again', () => {
    const { machine: changed } = announced(machine(), event('Reboot'), NOW);
    expect(changed?.cordon?.by).toBe('maintenance');
    expect(announced(changed ?? machine(), [], NOW).machine?.cordon).toBeUndefined();
    const evicted = machine({ cordon: { ...drained, by: 'eviction' } });
    expect(announced(evicted, [], NOW)).toEqual({ approve: [] });
  });

  test('the announcement of an eviction outweighs everything else, and keeps its time once it began', () => {
    const cordon = { ...drained, by: 'drift' };
    const { machine: changed } = announced(machine({ cordon }), event('Preempt'), NOW);
    expect(changed?.cordon).toMatchObject({ by: 'eviction' });
    expect(changed?.cordon?.drainedAt).toBeUndefined();
    const started = event('Preempt', { EventStatus: 'Started', NotBefore: '' });
    expect(
      announced(changed ?? machine(), started, new Date(NOW.getTime() + 40_000)).machine,
    ).toBeUndefined();
  });

  test('machines made by hand are left to who made them', () => {
    const hand = {
      allowFrom: [],
      openPorts: [],
      publicAddress: false,
      adminUser: 'berth',
      sshKeys: [],
      by: 'me',
    };
    expect(announced(machine({ hand, pool: 'by-hand' }), event('Reboot'), NOW)).toEqual({ approve: [] });
  });
});

describe('a drain', () => {
  const since = NOW.toISOString();
  const until = '2026-11-25T12:00:30.000Z';

  test('runs are stopped before Azure stops the machine, and an hour after a drain that said no time', () => {
    expect(runsEndAt({ by: 'eviction', since, until })).toBe(NOW.getTime() + 18_000);
    expect(runsEndAt({ by: 'user', since, until })).toBe(NOW.getTime() + 30_000);
    expect(runsEndAt({ by: 'drift', since })).toBe(NOW.getTime() + 3_600_000);
  });

  test('looks come every two seconds at most where time is short, and every fifteen otherwise', () => {
    const cordon = { by: 'eviction', since, until, reason: 'r', drain: true } as const;
    expect(pauseBetweenLooks(cordon, NOW, 50)).toBe(2000);
    expect(pauseBetweenLooks({ ...cordon, by: 'drift', until: '2026-11-26T12:00:30.000Z' }, NOW, 50)).toBe(
      15_000,
    );
    expect(pauseBetweenLooks({ ...cordon, by: 'drift', until: '2026-11-26T12:00:30.000Z' }, NOW, 0)).toBe(
      1000,
    );
  });
});
