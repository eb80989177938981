import { Machine } from '../../../../shared/model/machine.ts';

/** A machine made by hand that is ready, with what a test says of it. */
export const machineOf = (about: { readonly name: string } & Readonly<Record<string, unknown>>): Machine =>
  Machine.parse({
    pool: 'by-hand',
    size: 'Standard_B2s',
    image: 'Debian:debian-13:13-gen2:latest',
    resources: { vm: 'vm', nic: 'nic', disk: 'disk' },
    vmId: '/subscriptions/s',
    address: '10.0.0.4',
    cpu: 2,
    memory: 4096,
    status: { state: 'ready', since: '2026-11-25T08:00:00Z' },
    owner: 'o',
    hand: { allowFrom: [], openPorts: [], publicAddress: true, adminUser: 'berth', sshKeys: [], by: 'me' },
    ...about,
  });
