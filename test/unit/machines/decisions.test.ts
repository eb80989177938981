import { describe, expect, it } from 'vitest';
import type { TaggedResource } from '../../../shared/machines/cloud.ts';
import { withConsole } from '../../../shared/machines/console-end.ts';
import { heard, isNewlyReady, replicaDied, replicaUnhealthy } from '../../../shared/machines/heard.ts';
import { poolOf, resourceNames } from '../../../shared/machines/machine-names.ts';
import type { Sighted } from '../../../shared/machines/orphans.ts';
import { refusalOf } from '../../../shared/machines/refusals.ts';
import { sweepSteps } from '../../../shared/machines/sweep-steps.ts';
import { pollDelay } from '../../../shared/machines/waiting.ts';
import { Machine, type MachineStatus } from '../../../shared/model/machine.ts';
import { MachineName } from '../../../shared/model/names.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const ago = (seconds: number): string => new Date(NOW.getTime() - seconds * 1000).toISOString();

const machine = (status: MachineStatus, more: Partial<Machine> = {}): Machine => ({
  ...Machine.parse({
    name: 'default-k3x9bc',
    pool: 'default',
    size: 'Standard_B2s',
    image: 'Debian:debian-13:13-gen2:latest',
    resources: { vm: 'default-k3x9bc', nic: 'default-k3x9bc-nic', disk: 'default-k3x9bc-disk' },
    vmId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/default-k3x9bc',
    address: '10.20.0.4',
    cpu: 2,
    memory: 3686,
    status,
    owner: 'machine-default-k3x9bc',
  }),
  ...more,
});
const ready = (more: Partial<Machine> = {}, since = 3600) =>
  machine({ state: 'ready', since: ago(since) }, more);

describe('a report', () => {
  it('makes a booting or silent machine ready', () => {
    for (const state of ['booting', 'silent'] as const)
      expect(heard(machine({ state, since: ago(50) }), NOW)).toMatchObject({
        heardAt: NOW.toISOString(),
        status: { state: 'ready', since: NOW.toISOString() },
      });
  });

  it('is written down once in twenty seconds', () => {
    expect(heard(ready({ heardAt: ago(10) }), NOW)).toBeUndefined();
    expect(heard(ready({ heardAt: ago(20) }), NOW)).toMatchObject({ heardAt: NOW.toISOString() });
  });

  it('announces a machine again for a minute', () => {
    expect(isNewlyReady(ready({}, 59), NOW)).toBe(true);
    expect(isNewlyReady(ready({}, 61), NOW)).toBe(false);
    expect(isNewlyReady(machine({ state: 'booting', since: ago(1) }), NOW)).toBe(false);
  });

  it('of a replica that died is an event; of another container it is none', () => {
    const name = MachineName.parse('default-k3x9bc');
    const death = { id: 'c1', name: 'x', exitCode: 1, time: '2026-11-25T11:59:59.123456789Z' };
    expect(replicaDied(name, { ...death, labels: { 'berth.service': 'dev.hello.web' } })).toMatchObject({
      type: 'dev.berth.replica.died',
      source: 'machines/default-k3x9bc',
      id: 'c1:2026-11-25T11:59:59.123456789Z',
      data: {
        key: { environment: 'dev', application: 'hello', service: 'web' },
        container: 'c1',
        exitCode: 1,
      },
    });
    for (const labels of [{}, { 'berth.service': 'a.b' }, { 'berth.service': 'a.b.c.d' }])
      expect(replicaDied(name, { ...death, labels: labels as Record<string, string> })).toBeUndefined();
  });

  it('of a replica that stopped answering is an event a minute; of one that answers it is none', () => {
    const name = MachineName.parse('default-k3x9bc');
    const labels = { 'berth.service': 'dev.hello.web' };
    const container = { id: 'c1', name: 'x', labels, state: 'running' as const };
    const unhealthy = { since: '2026-11-25T11:58:00.000Z', reason: 'GET / answered 503', dead: true };
    expect(replicaUnhealthy(name, container, NOW)).toBeUndefined();
    expect(replicaUnhealthy(name, { ...container, labels: {}, unhealthy }, NOW)).toBeUndefined();
    const event = replicaUnhealthy(name, { ...container, unhealthy }, NOW);
    expect(event).toMatchObject({
      type: 'dev.berth.replica.unhealthy',
      source: 'machines/default-k3x9bc',
      data: { key: { service: 'web' }, container: 'c1', reason: 'GET / answered 503', dead: true },
    });
    const idAfter = (seconds: number) =>
      replicaUnhealthy(name, { ...container, unhealthy }, new Date(NOW.getTime() + seconds * 1000))?.id;
    expect(idAfter(10)).toBe(event?.id);
    expect(idAfter(60)).not.toBe(event?.id);
  });
});

describe('what ARM refuses', () => {
  it.each([
    ['SkuNotAvailable', 'x', 'size-unavailable', 'next-size'],
    ['ZonalAllocationFailed', 'x', 'size-unavailable', 'next-size'],
    ['OverconstrainedAllocationRequest', 'x', 'size-unavailable', 'next-size'],
    ['OperationNotAllowed', 'exceeding approved standardBSFamily Cores quota', 'quota-exceeded', 'next-size'],
    ['OperationNotAllowed', 'exceeding approved Total Regional Cores quota', 'quota-exceeded', 'give-up'],
    ['OperationNotAllowed', 'the disk is attached', 'cloud-refused', 'give-up'],
    ['AnotherOperationInProgress', 'x', 'cloud-busy', 'again'],
    ['InvalidParameter', 'x', 'cloud-refused', 'give-up'],
  ])('%s (%s) is %s: %s', (code, message, ours, answer) => {
    expect(refusalOf(code, message)).toMatchObject({ code: ours, answer, reason: `${code}: ${message}` });
  });
});

describe('the sweep', () => {
  const resource = (kind: TaggedResource['kind'], age = 600, name = 'default-k3x9bc'): TaggedResource => ({
    kind,
    name: kind === 'vm' ? name : `${name}-${kind}`,
    machine: name,
    createdAt: ago(age),
  });
  const whole = [resource('vm'), resource('nic'), resource('disk')];
  const nothing: Sighted = {
    now: NOW,
    records: [],
    resources: [],
    going: new Set(),
    occupied: new Set(),
  };
  const steps = (sighted: Partial<Sighted>) =>
    sweepSteps({ ...nothing, ...sighted }).map(
      (step) => `${step.step} ${'machine' in step ? step.machine.name : step.name}`,
    );

  it('deletes together what has no record', () => {
    expect(steps({ resources: whole })).toEqual(['remove-orphans default-k3x9bc']);
    const [step] = sweepSteps({ ...nothing, resources: whole });
    expect(step).toMatchObject({ reason: 'default-k3x9bc has no record', orphans: whole });
  });

  it('deletes what an earlier attempt left, and nothing of the machine that came', () => {
    const second = ready({
      heardAt: ago(1),
      attempt: 2,
      resources: resourceNames('default-k3x9bc', 2),
      leftovers: [resourceNames('default-k3x9bc')],
    });
    const { vm, nic, disk } = second.resources;
    const current = [
      { ...resource('vm'), name: vm },
      { ...resource('nic'), name: nic },
      { ...resource('disk'), name: disk },
    ];
    const [step, ...others] = sweepSteps({
      ...nothing,
      records: [second],
      resources: [...current, resource('nic')],
    });
    expect(step).toMatchObject({
      step: 'remove-orphans',
      reason: 'an earlier attempt at default-k3x9bc left it',
      orphans: [{ kind: 'nic', name: 'default-k3x9bc-nic' }],
    });
    expect(others).toEqual([]);
    expect(steps({ records: [second], resources: current })).toEqual(['note-removed default-k3x9bc']);
  });

  it('spares what is young, what has a record, and what carries recorded replicas', () => {
    expect(steps({ resources: [resource('vm', 170)] })).toEqual([]);
    expect(steps({ resources: whole, records: [ready({ heardAt: ago(1) })] })).toEqual([]);
    expect(steps({ resources: whole, occupied: new Set(['default-k3x9bc']) })).toEqual([]);
  });

  it('deletes what a failed machine left, unless its orchestration does so', () => {
    const failed = machine({ state: 'failed', at: ago(300), code: 'x', reason: 'x' });
    expect(steps({ resources: whole, records: [failed] })).toEqual(['remove-orphans default-k3x9bc']);
    expect(steps({ resources: whole, records: [failed], going: new Set([failed.owner]) })).toEqual([]);
  });

  it('forgets a failure after a day', () => {
    const failed = machine({ state: 'failed', at: ago(25 * 3600), code: 'x', reason: 'x' });
    expect(steps({ records: [failed] })).toEqual(['forget-machine default-k3x9bc']);
  });

  it('asks the engine of a machine that was not heard for 45 s', () => {
    expect(steps({ records: [ready({ heardAt: ago(44) })] })).toEqual([]);
    expect(steps({ records: [ready({ heardAt: ago(46) })] })).toEqual(['ask-engine default-k3x9bc']);
    expect(steps({ records: [ready({}, 46)] })).toEqual(['ask-engine default-k3x9bc']);
  });

  it('retires silent machines after a while, and at once without a VM', () => {
    const silent = (since: number) => machine({ state: 'silent', since: ago(since) });
    expect(steps({ records: [silent(60)], resources: whole })).toEqual([]);
    expect(steps({ records: [silent(60)] })).toEqual(['retire-machine default-k3x9bc']);
    expect(steps({ records: [silent(901)], resources: whole })).toEqual(['retire-machine default-k3x9bc']);
  });

  it.each(['provisioning', 'booting', 'retiring'] as const)(
    'retires a machine that is %s when its orchestration is gone',
    (state) => {
      const status = (since: number): MachineStatus =>
        state === 'retiring' ? { state, since: ago(since), reason: 'x' } : { state, since: ago(since) };
      const old = machine(status(181));
      expect(steps({ records: [old], resources: whole })).toEqual(['retire-machine default-k3x9bc']);
      expect(steps({ records: [old], going: new Set([old.owner]) })).toEqual([]);
      expect(steps({ records: [machine(status(170))] })).toEqual([]);
    },
  );
});

describe('smaller rules', () => {
  it('polls as often as ARM says, otherwise seldom as time goes on', () => {
    expect(pollDelay(10_000, 0)).toBe(10_000);
    expect(pollDelay(0, 0)).toBe(50);
    expect(pollDelay(0, 100)).toBe(2000);
    expect(pollDelay(200, 100)).toBe(2000);
  });

  it('reads the pool from the machine’s name', () => {
    expect(poolOf(MachineName.parse('big-pool-k3x9bc'))).toBe('big-pool');
    expect(poolOf(MachineName.parse('nopool'))).toBeUndefined();
  });

  it('keeps the end of a console without control sequences', () => {
    const log = `${Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\r\n')}\n\u001b[31mred\u001b[0m\n\n`;
    const text = withConsole('too late', log);
    expect(text.split('\n')).toHaveLength(21);
    expect(text).toMatch(/^too late\. Its console ends:\nline 11\n/);
    expect(text.endsWith('\nred')).toBe(true);
    expect(withConsole('too late', undefined)).toBe('too late');
  });
});
