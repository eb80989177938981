import { describe, expect, it } from 'vitest';
import { copyPlace, scpWord } from '../../../../cli/machine/copy-place.ts';
import { machineFilter } from '../../../../cli/machine/filter.ts';
import { newMachineOf } from '../../../../cli/machine/new-machine.ts';
import type { SshTarget } from '../../../../cli/machine/secure-shell.ts';
import { NewMachine } from '../../../../shared/model/new-machine.ts';
import { machineOf } from './machine-of.ts';

describe('what create asks for', () => {
  const plain = { publicIp: true };
  const files = { sshKeys: [] };

  it('is the name alone where nothing is said', () => {
    expect(newMachineOf('x', plain, files)).toEqual({ name: 'x', sshKeys: [] });
    expect(NewMachine.parse(newMachineOf('x', plain, files))).toMatchObject({
      size: 'Standard_B2s',
      publicAddress: true,
    });
  });

  it('is every option', () => {
    const asked = newMachineOf(
      'x',
      {
        ...{ size: 'Standard_D2s_v5', zone: '2', network: 'n', subnet: 's', publicIp: false, spot: true },
        ...{
          privateAddress: '10.1.2.3',
          dns: 'web',
          openPort: ['80', '53/udp'],
          allowFrom: ['any', '192.0.2.1'],
        },
        ...{ tag: ['team=a=b', 'cost='], sshUser: 'ops' },
      },
      { sshKeys: [], customData: '#!/bin/sh\n' },
    );
    expect(NewMachine.parse(asked)).toMatchObject({
      ...{
        size: 'Standard_D2s_v5',
        zone: '2',
        network: 'n',
        subnet: 's',
        publicAddress: false,
        priority: 'spot',
      },
      ...{ address: '10.1.2.3', dnsLabel: 'web', openPorts: ['80', '53/udp'] },
      allowFrom: ['0.0.0.0/0', '192.0.2.1/32'],
      ...{ tags: { team: 'a=b', cost: '' }, adminUser: 'ops', customData: '#!/bin/sh\n' },
    });
  });

  it.each([
    ['X', plain, 'the name X: expected 1 to 40 characters'],
    ['x', { ...plain, openPort: ['80', '99999'] }, '--open-port 99999: expected a port'],
    ['x', { ...plain, openPort: ['90-80'] }, '--open-port 90-80: expected the smaller port first'],
    ['x', { ...plain, allowFrom: ['my house'] }, '--allow-from my house: expected an IPv4 address'],
    ['x', { ...plain, privateAddress: '10.1' }, '--private-address 10.1: expected an IPv4 address'],
    ['x', { ...plain, tag: ['team'] }, '--tag team: expected KEY=VALUE'],
    ['x', { ...plain, image: 'ubuntu' }, '--image ubuntu: expected publisher:offer:sku:version'],
    ['x', { ...plain, dns: 'A' }, '--dns A: expected 3 to 63'],
  ] as const)('names the option that is wrong: %s %j', (name, options, message) =>
    expect(() => newMachineOf(name, options, files)).toThrow(message),
  );

  it('tells a private key from a public one', () => {
    expect(() => newMachineOf('x', plain, { sshKeys: ['-----BEGIN OPENSSH PRIVATE KEY-----'] })).toThrow(
      /--ssh-key .*private one/,
    );
  });
});

describe('a filter of machines', () => {
  const machines = [
    machineOf({ name: 'web-1', labels: { team: 'a' } }),
    machineOf({ name: 'web-2', size: 'Standard_D2s_v5', zone: '1' }),
    machineOf({ name: 'db', status: { state: 'stopped', since: '2026-11-25T08:00:00Z' } }),
  ];
  it.each([
    [[], ['web-1', 'web-2', 'db']],
    [['name=web-*'], ['web-1', 'web-2']],
    [['name=web'], []],
    [
      ['name=web-1', 'name=db'],
      ['web-1', 'db'],
    ],
    [['name=web-*', 'state=stopped'], []],
    [['state=stopped'], ['db']],
    [['size=*_v5'], ['web-2']],
    [['label=team'], ['web-1']],
    [['label=team=b'], []],
    [['zone=1', 'pool=by-hand'], ['web-2']],
  ])('%j leaves %j', (texts, names) =>
    expect(machines.filter(machineFilter(texts)).map(({ name }) => name)).toEqual(names),
  );
  it.each(['state', 'colour=red', '=x', 'name='])('refuses %s', (text) =>
    expect(() => machineFilter([text])).toThrow(/expected KEY=VALUE/),
  );
});

describe('ends of a copy', () => {
  const targets = new Map<string, SshTarget>([
    ['x', { machine: machineOf({ name: 'x' }), address: '192.0.2.7', user: 'berth' }],
    ['y', { machine: machineOf({ name: 'y' }), address: '2001:db8::1', user: 'ops' }],
  ]);
  it.each([
    ['x:/tmp/a b', 'berth@192.0.2.7:/tmp/a b'],
    ['x:', 'berth@192.0.2.7:'],
    ['y:notes', 'ops@[2001:db8::1]:notes'],
    ['notes.txt', 'notes.txt'],
    ['./x:y', './x:y'],
    ['/tmp/x:y', '/tmp/x:y'],
    ['A:b', './A:b'],
    ['C:\\notes', 'C:\\notes'],
    ['-r', '-r'],
  ])('%s is %s for scp', (text, word) => expect(scpWord(copyPlace(text), targets)).toBe(word));
});
