import { mkdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressIn } from '../../infra/local/machine-runtime/free-subnet.ts';
import type { MachineRuntime } from '../../infra/local/machine-runtime/machine-runtime.ts';
import { installQemu, whyNoQemu } from '../../infra/local/machine-runtime/qemu/install.ts';
import { qemuMachineRuntime } from '../../infra/local/machine-runtime/qemu/qemu-machine-runtime.ts';
import { stopVirtualMachines } from '../../infra/local/machine-runtime/qemu/stop-virtual-machines.ts';
import { until } from '../support/conditions.ts';
import { cache, noMachines, startMachines, type TestMachines } from '../support/machines.ts';
import { long } from '../support/sample.ts';

const obstacle =
  whyNoQemu() ?? (await noMachines()) ?? (long ? undefined : 'minutes long: npm run test:long');

describe.skipIf(obstacle !== undefined)(
  `a virtual machine${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    const name = 'vm1';
    let machines: TestMachines;
    let runtime: MachineRuntime;
    let address: string;
    const shell = async (command: string) =>
      (await runtime.run(name, { command: ['/bin/sh', '-c', command] })).stdout.trim();
    const create = (imageId?: string) =>
      runtime.create({
        name,
        address,
        image:
          imageId === undefined
            ? { kind: 'marketplace', reference: 'Debian:debian-13:13-gen2:latest' }
            : { kind: 'captured', imageId },
        customData: Buffer.from(
          '#cloud-config\nwrite_files:\n- {path: /srv/said, content: "by customData"}\n',
        ).toString('base64'),
        cores: 2,
        memory: 1024,
        adminUser: 'azureuser',
        sshKeys: [],
        inboundRules: [],
      });
    const report = (line: string) => console.log(`  ${line}`);
    /** As the cloud does at each of its starts. */
    const open = () =>
      qemuMachineRuntime({
        ...{ id: machines.id, directory: machines.directory, cache, ...machines.network, report },
        metadataPort: machines.metadataPort,
        openPorts: [machines.appPort],
        authority: machines.ca.certificatePem,
      });
    const booted = () =>
      until(
        'cloud-init is done',
        () =>
          shell('cloud-init status').then(
            (said) => said.includes('done'),
            () => false,
          ),
        900,
      );

    beforeAll(async () => {
      await installQemu(report);
      machines = await startMachines();
      address = addressIn(machines.network.subnet, 10);
      mkdirSync(join(machines.directory, 'machines'), { recursive: true });
      runtime = await open();
    });

    afterAll(async () => {
      if (machines === undefined) return;
      await stopVirtualMachines(machines, 'cut-off');
      await machines.close();
    });

    it('boots a kernel of its own, and cloud-init does what customData says', async () => {
      await create();
      expect(await runtime.state(name)).toBe('running');
      await booted();
      expect(await shell('uname -r')).not.toBe(release());
      expect(await shell('cat /srv/said')).toBe('by customData');
      expect(await shell('hostname')).toBe(name);
      expect(await shell('ip -4 -o addr show dev eth0')).toContain(`${address}/`);
      expect(await runtime.console(name)).toContain('cloud-init');
    });

    it('has inbound rules that can be changed while it runs', async () => {
      await runtime.setInboundRules(name, [
        {
          ...{ name: 'AllowOne', priority: 100, access: 'Allow', protocol: 'Tcp' },
          ...{ sources: ['*'], ports: ['8080'] },
        },
      ]);
      expect(await shell('iptables-save -t mangle')).toContain('--dport 8080');
    });

    it('goes down by itself when it is stopped, and keeps its disk', async () => {
      await shell('echo kept > /srv/kept; sync');
      await runtime.stop(name);
      expect(await runtime.state(name)).toBe('stopped');
      await runtime.start(name);
      await booted();
      expect(await shell('cat /srv/kept')).toBe('kept');
    });

    it('stays as it was over starts of the cloud: on, off by its own doing, and on again after a stop of all', async () => {
      runtime = await open();
      expect(await runtime.state(name)).toBe('running');
      await stopVirtualMachines(machines, 'power-down');
      expect(await runtime.state(name)).toBe('stopped');
      runtime = await open();
      expect(await runtime.state(name)).toBe('running');
      await booted();
      await shell('systemctl --no-block poweroff');
      await until('it is down', async () => (await runtime.state(name)) === 'stopped');
      runtime = await open();
      expect(await runtime.state(name)).toBe('stopped');
      await runtime.start(name);
      await booted();
    });

    it('is captured as an image, from which a machine boots', async () => {
      await shell('cloud-init clean; rm -f /srv/said; sync');
      await runtime.stop(name);
      await runtime.capture(name, '/subscriptions/s/images/one');
      await runtime.remove(name);
      expect(await runtime.state(name)).toBe('absent');
      await create('/subscriptions/s/images/one');
      await booted();
      expect(await shell('cat /srv/kept /srv/said')).toBe('kept\nby customData');
      await runtime.remove(name);
      expect(await runtime.list()).toEqual([]);
      expect(readFileSync('/proc/net/dev', 'utf8')).not.toMatch(/\bbt[0-9a-f]{12}:/);
    });
  },
);
