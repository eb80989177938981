import { describe, expect, it } from 'vitest';
import { hourlyCost } from '../../../../shared/machines/by-hand/cost.ts';
import { handMade, nextAttempt } from '../../../../shared/machines/by-hand/hand-made-record.ts';
import { beginPower } from '../../../../shared/machines/by-hand/power-change.ts';
import { wantsCertificate } from '../../../../shared/machines/certificate-renewal.ts';
import { removalId } from '../../../../shared/machines/provisioning.ts';
import { sweepSteps } from '../../../../shared/machines/sweep-steps.ts';
import { Machine } from '../../../../shared/model/machine.ts';
import { NewMachine } from '../../../../shared/model/new-machine.ts';

const now = new Date('2026-11-25T12:00:00Z');
const place = { now, subscription: 's', resourceGroup: 'g' };
const make = (request: object = {}): Machine =>
  Machine.parse(
    handMade(
      {
        ...place,
        request: NewMachine.parse({ name: 'box', ...request }),
        size: {
          name: 'Standard_B2s',
          family: 'standardBSFamily',
          cores: 2,
          memory: 4096,
          zones: [],
          spot: true,
        },
        allowFrom: ['203.0.113.7/32'],
        subnet: undefined,
        hourly: 0.04,
        key: 'k1',
        by: 'admin',
      },
      () => 0,
    ),
  );
const inState = (state: string): Machine =>
  Machine.parse({
    ...make(),
    status: { state, since: now.toISOString(), at: now.toISOString(), code: 'x', reason: 'x' },
  });

describe('the record of a machine made by hand', () => {
  it('names all that will be there, under names that are never used again', () => {
    expect(make().resources).toEqual({
      vm: 'box-bbbbbb',
      nic: 'box-bbbbbb-nic',
      disk: 'box-bbbbbb-disk',
      publicIp: 'box-bbbbbb-ip',
      securityGroup: 'box-bbbbbb-nsg',
    });
    expect(make({ publicAddress: false }).resources.publicIp).toBeUndefined();
    expect(removalId(make())).toBe('retire-box-bbbbbb');
  });

  it('has other names at each attempt, and keeps those that may be left', () => {
    const second = nextAttempt(
      { ...make(), address: '10.0.0.4', publicAddress: '1.2.3.4' },
      { ...place, attempt: 2, left: true },
    );
    expect(second.resources.vm).toBe('box-bbbbbb-2');
    expect(second.address).toBeUndefined();
    expect(second.leftovers).toEqual([make().resources]);
    const third = nextAttempt(second, { ...place, attempt: 3, left: false });
    expect(third.resources.securityGroup).toBe('box-bbbbbb-3-nsg');
    expect(third.vmId).toContain('/box-bbbbbb-3');
    expect(third.leftovers).toHaveLength(1);
    expect(Machine.parse(third)).toEqual(third);
  });
});

describe('power', () => {
  it.each([
    ['start', 'stopped', 'starting'],
    ['start', 'silent', 'starting'],
    ['stop', 'ready', 'stopping'],
    ['restart', 'ready', 'stopping'],
  ] as const)('%s of one that is %s makes it %s', (action, before, after) => {
    expect(beginPower(inState(before), action, 'power-1', now)).toMatchObject({
      owner: 'power-1',
      status: { state: after },
    });
  });

  it.each([
    ['start', 'ready'],
    ['stop', 'stopped'],
    ['stop', 'provisioning'],
    ['restart', 'stopping'],
    ['stop', 'retiring'],
    ['start', 'failed'],
  ] as const)('refuses to %s one that is %s', (action, state) => {
    expect(() => beginPower(inState(state), action, 'power-1', now)).toThrow(
      expect.objectContaining({ code: 'machine-state', status: 409 }),
    );
  });

  it('leaves machines of pools to their pool, but restarts them', () => {
    const machine = Machine.parse({ ...inState('ready'), pool: 'web', hand: undefined });
    expect(() => beginPower(machine, 'stop', 'p', now)).toThrow(
      expect.objectContaining({ code: 'machine-of-pool' }),
    );
    expect(beginPower(machine, 'restart', 'p', now).status.state).toBe('stopping');
  });
});

describe('the sweep', () => {
  const sighted = (machine: Machine, later = 3_600_000) => ({
    now: new Date(now.getTime() + later),
    records: [machine],
    resources: [
      { kind: 'vm', name: machine.resources.vm, machine: machine.name, createdAt: now.toISOString() },
    ] as const,
    going: new Set<string>(),
    occupied: new Set<string>(),
  });

  it('lets a machine by hand be silent for ever, as long as its VM is there', () => {
    expect(sweepSteps(sighted(inState('silent')))).toEqual([]);
    expect(sweepSteps({ ...sighted(inState('silent')), resources: [] })).toMatchObject([
      { step: 'retire-machine' },
    ]);
  });

  it.each(['stopping', 'starting'])('settles one that is %s, whose orchestration is gone', (state) => {
    expect(sweepSteps(sighted(inState(state)))).toMatchObject([{ step: 'settle-power' }]);
    expect(sweepSteps(sighted(inState(state), 1_000))).toEqual([]);
  });

  it('has nothing to do with one that is stopped', () => {
    expect(sweepSteps(sighted(inState('stopped')))).toEqual([]);
  });
});

describe('cost', () => {
  it('is of cores, disk and address; of the latter two while stopped', () => {
    expect(hourlyCost({ hourly: 0.04, publicAddress: true })).toEqual({
      machine: 0.04,
      disk: 0.00329,
      publicAddress: 0.005,
      total: 0.04829,
    });
    expect(hourlyCost({ hourly: 0.04, publicAddress: true }, false).machine).toBeUndefined();
    expect(hourlyCost({ hourly: undefined, publicAddress: false })).toEqual({
      disk: 0.00329,
      total: 0.00329,
    });
  });
});

describe('another certificate', () => {
  const until = (notAfter: string) =>
    Machine.parse({ ...inState('ready'), certificate: { serial: 'a', notAfter } });

  it('is wanted when it was asked for, ends within thirty days, or has ended', () => {
    expect(wantsCertificate(until('2027-02-23T00:00:00Z'), now)).toBe(false);
    expect(wantsCertificate(until('2026-12-24T00:00:00Z'), now)).toBe(true);
    expect(wantsCertificate(until('2026-11-01T00:00:00Z'), now)).toBe(true);
    expect(wantsCertificate({ ...until('2027-02-23T00:00:00Z'), renewal: now.toISOString() }, now)).toBe(
      true,
    );
  });
});
