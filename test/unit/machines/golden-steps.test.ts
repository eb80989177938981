import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GoldenImage, type GoldenStatus } from '../../../shared/machines/golden/golden-image.ts';
import {
  type GoldenStep,
  goldenSteps,
  type SightedImages,
} from '../../../shared/machines/golden/golden-steps.ts';
import { MachineStatus } from '../../../shared/model/machine.ts';

const now = new Date('2026-11-25T12:00:00Z');
const ago = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();
const profile = '0123456789abcdef';
const wanted = [{ profile, base: 'Debian:debian-13:13-gen2:latest', sizes: ['Standard_B2s'] }];
const image = (status: GoldenStatus, changes: Partial<GoldenImage> = {}): GoldenImage =>
  GoldenImage.parse({
    ...{ profile, base: 'Debian:debian-13:13-gen2:latest', name: 'berth-x', attempt: 2, failures: 0, status },
    ...changes,
  });
const up = MachineStatus.parse({ state: 'ready', since: ago(600) });
const resource = { name: 'berth-x', id: '/images/berth-x', profile, createdAt: ago(3600) };
const steps = (sighted: Partial<SightedImages>): readonly GoldenStep[] =>
  goldenSteps({
    ...{ now, wanted: [], records: [], resources: [], machines: [], going: new Set<string>() },
    ...sighted,
  });
const kinds = (sighted: Partial<SightedImages>): readonly string[] => steps(sighted).map(({ step }) => step);

const building = image({
  state: 'building',
  since: ago(600),
  builder: 'golden-images-x',
  owner: 'o',
} as GoldenStatus);
const ready = image({ state: 'ready', since: ago(600), id: resource.id });
const leaving = image({ state: 'leaving', since: ago(700), id: resource.id });
const failed = (seconds: number, failures: number) =>
  image({ state: 'failed', at: ago(seconds), code: 'c', reason: 'r' }, { failures });

describe('golden images', () => {
  it('are built when a pool wants one that is not there', () => {
    expect(steps({ wanted })).toMatchObject([{ step: 'build', attempt: 1, wanted: wanted[0] }]);
    expect(kinds({})).toEqual([]);
  });

  it('are left alone while they are built, and given up when nobody builds them', () => {
    expect(kinds({ wanted, records: [building], going: new Set(['o']) })).toEqual([]);
    expect(kinds({ wanted, records: [building] })).toEqual(['give-up']);
  });

  it('stay while a pool wants them, and are given up when Azure has lost them', () => {
    expect(kinds({ wanted, records: [ready], resources: [resource] })).toEqual([]);
    expect(steps({ wanted, records: [ready] })).toMatchObject([{ step: 'give-up', code: 'image-gone' }]);
  });

  it('are given up when machines do not come up from them, and none ever did', () => {
    const at = ago(60);
    const machine = (status: object) => ({ golden: resource.id, status: MachineStatus.parse(status) });
    const lame = machine({ state: 'failed', at, code: 'machine-not-registered', reason: 'r' });
    const [records, resources] = [[ready], [resource]];
    expect(kinds({ wanted, records, resources, machines: [lame] })).toEqual([]);
    expect(steps({ wanted, records, resources, machines: [lame, lame] })).toMatchObject([
      { step: 'give-up', code: 'image-unfit' },
    ]);
    const quota = machine({ state: 'failed', at, code: 'quota-exceeded', reason: 'r' });
    expect(kinds({ wanted, records, resources, machines: [quota, quota, lame] })).toEqual([]);
    const good = machine({ state: 'ready', since: at });
    expect(kinds({ wanted, records, resources, machines: [lame, lame, good] })).toEqual([]);
  });

  it('leave when no pool wants them, after the machines that boot from them', () => {
    const resources = [resource];
    expect(kinds({ records: [ready], resources })).toEqual(['withdraw']);
    expect(kinds({ records: [leaving], resources, machines: [{ golden: resource.id, status: up }] })).toEqual(
      [],
    );
    expect(kinds({ records: [leaving], resources })).toEqual(['delete-resource']);
    expect(kinds({ records: [leaving] })).toEqual(['forget']);
    expect(kinds({ wanted, records: [leaving], resources })).toEqual(['take-back']);
  });

  it('are tried again later and later', () => {
    expect(kinds({ wanted, records: [failed(50, 1)] })).toEqual([]);
    expect(steps({ wanted, records: [failed(61, 1)] })).toMatchObject([{ step: 'build', attempt: 3 }]);
    expect(kinds({ wanted, records: [failed(301, 2)] })).toEqual(['build']);
    expect(kinds({ wanted, records: [failed(3500, 9)] })).toEqual([]);
    expect(kinds({ wanted, records: [failed(3601, 9)] })).toEqual(['build']);
    expect(kinds({ records: [failed(1, 1)] })).toEqual(['forget']);
    expect(kinds({ wanted, records: [failed(3601, 1)], resources: [resource] })).toEqual(['delete-resource']);
  });

  it('that nobody has recorded are removed once they are old', () => {
    expect(kinds({ resources: [resource] })).toEqual(['delete-resource']);
    expect(kinds({ resources: [{ ...resource, createdAt: ago(100) }] })).toEqual([]);
    expect(kinds({ resources: [resource], machines: [{ golden: resource.id, status: up }] })).toEqual([]);
  });

  it('that a machine has, or that are ready and wanted, are never removed', () => {
    const status = fc.constantFrom(building.status, ready.status, leaving.status, failed(4000, 1).status);
    fc.assert(
      fc.property(status, fc.boolean(), fc.boolean(), (one, isWanted, isUsed) => {
        const found = steps({
          wanted: isWanted ? wanted : [],
          records: [image(one)],
          resources: [resource],
          machines: isUsed ? [{ golden: resource.id, status: up }] : [],
        });
        const removed = found.some(({ step }) => step === 'delete-resource' || step === 'forget');
        const isSafe = (isUsed && one.state !== 'failed') || (isWanted && one.state !== 'failed');
        return !(removed && isSafe);
      }),
    );
  });
});
